"""One picture a bar: where the reference's runs lie, the bar, and the best wrong solutions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from grader.authoring.calibrate.calibration import BASELINES, Calibration, VariantRuns, Wrong
from grader.lab.bars import Bar, Bars

_WIDTH, _ROW = 6.4, 0.9  # inches
_LINE = 72  # characters that fit below the axis
# Newer versions of matplotlib list every key in the type of a style, older ones none.
_STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "calibrate", "font.size": 8}
_REFERENCE, _BAR, _WRONG, _WEAK = "#0969da", "#1f2328", "#cf222e", "#9a6700"


def draw_bars(bars: Bars, calibration: Calibration, folder: Path) -> list[Path]:
    """Write ``<bar>.svg`` for every bar that was measured, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, bar in bars.items():
        rows = [runs for runs in calibration.variants if name in runs.figures]
        if rows:
            files.append(folder / f"{name}.svg")
            with mpl.rc_context(_STYLE):
                # Without a date the same figures give the same file.
                _picture(name, bar, rows).savefig(files[-1], format="svg", metadata={"Date": None})
    return files


def _picture(name: str, bar: Bar, rows: Sequence[VariantRuns]) -> Figure:
    figure = Figure(figsize=(_WIDTH, 1.1 + _ROW * len(rows)), layout="constrained")
    axes: Axes = figure.subplots()
    for height, runs in enumerate(reversed(rows)):
        _row(axes, height, name, bar, runs)
    axes.set_yticks(
        range(len(rows)), [runs.variant or f"{runs.runs} runs" for runs in reversed(rows)]
    )
    axes.set_ylim(-0.5, len(rows) - 0.3)
    if bar.scale == "log10":
        axes.set_xscale("log")
    axes.set_xlabel(fill(f"{bar.title} ({bar.better} is better)", _LINE))
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(once.values(), once.keys(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def _row(axes: Axes, height: int, name: str, bar: Bar, runs: VariantRuns) -> None:
    """Draw one variant: dots for runs, a line for the bar, crosses for wrong solutions."""
    values = runs.figures[name].values
    spread = [height + 0.12 * ((i * 7) % 5 - 2) / 2 for i in range(len(values))]
    axes.plot(values, spread, "o", color=_REFERENCE, alpha=0.4, ms=4, label="reference, a run")
    full = bar.full_for(runs.variant)
    axes.plot([full, full], [height - 0.3, height + 0.3], color=_BAR, lw=2, label="bar")
    mutants = [w.figures[name] for w in _measured(runs, name) if not _weak(w.name)]
    weak = [w for w in _measured(runs, name) if _weak(w.name)]
    if mutants:
        at = [height - 0.22] * len(mutants)
        axes.plot(mutants, at, "x", color=_WRONG, ms=5, label="mutants")
    if weak:
        at = [height - 0.22] * len(weak)
        axes.plot([w.figures[name] for w in weak], at, "v", color=_WEAK, ms=5, label="baselines")


def _measured(runs: VariantRuns, name: str) -> list[Wrong]:
    return [wrong for wrong in runs.wrong if name in wrong.figures]


def _weak(name: str) -> bool:
    return name.startswith(f"{BASELINES}/")
