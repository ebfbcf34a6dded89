"""The page's picture: what each system adds to a submission, on log axes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from overhead.figures import Figures

# Okabe and Ito's colours and a shape each: told apart by the colour-blind and in grey.
LOOKS = {"ours": ("#0072B2", "D"), "floor": ("#009E73", "^")}
OTHERS = ("#D55E00", "o")
INK = "#222222"


def draw(figures: Sequence[Figures], titles: dict[str, str], file: Path) -> None:
    """Draw CPU seconds each and wall seconds to the first result; write an SVG."""
    ordered = sorted(figures, key=lambda f: -f.cpu_each)
    look = {"svg.hashsalt": "proctor", "font.size": 11, "text.color": INK}
    with plt.rc_context(look):
        figure, axes = plt.subplots(1, 2, figsize=(10, 0.5 * len(ordered) + 1.3), sharey=True)
        figure.patch.set_facecolor("white")  # a card: readable on a dark page as well
        cpu = [f.cpu_each for f in ordered]
        _dots(axes[0], ordered, cpu, "CPU seconds each, batch of right ones")
        _dots(axes[1], ordered, [f.first_wall for f in ordered], "wall seconds to a first result")
        axes[0].set_yticks(range(len(ordered)), [titles[f.system] for f in ordered])
        axes[0].set_ylim(-0.6, len(ordered) - 0.4)
        figure.tight_layout()
        figure.savefig(file, metadata={"Date": None, "Title": "What grading adds"})
        plt.close(figure)


def _dots(axes: Axes, figures: Sequence[Figures], values: Sequence[float], title: str) -> None:
    for row, (found, value) in enumerate(zip(figures, values, strict=True)):
        colour, marker = LOOKS.get(found.system, OTHERS)
        shown = max(value, 1e-3)  # a log axis has no zero
        axes.axhline(row, color="#dddddd", linewidth=0.8, zorder=1)
        axes.scatter([shown], [row], s=80, color=colour, marker=marker, zorder=2)
        axes.text(shown * 1.15, row + 0.12, f"{value:.2g} s", va="bottom")
    axes.set_xscale("log")
    axes.set_xlim(max(min(values), 1e-3) / 2, max(values) * 3)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_title(f"{title} (log scale)", fontsize=11)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_facecolor("white")
