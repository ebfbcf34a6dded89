"""Write how the bars of each lab lie into its page, from the lab's calibration.

`python docs/bars.py` puts the tables between the marks in `docs/labs/*.md` anew; run it after
`grader calibrate`. A test fails while a page tells of other figures than its calibration.
"""

from __future__ import annotations

import sys
from pathlib import Path

from grader.api import Catalogue
from grader.authoring.calibrate.calibration import load_calibration
from grader.authoring.calibrate.judge import JudgedBar, judge_bars

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- bars: begin -->", "<!-- bars: end -->"
COLUMNS = ("bar", "variant", "mean", "sd", "worst", "bar at", "margin", "misses", "best held back")
WIDEST_MARGIN = 999.0  # the page says that it stands for that and more


def table(slug: str) -> str:
    """Return the table of a lab's bars in Markdown; empty if the lab has not been calibrated."""
    lab = Catalogue(ROOT).get(slug)
    calibration = load_calibration(lab)
    if calibration is None:
        return ""
    lines = [COLUMNS, ("---",) * len(COLUMNS)]
    lines += [_cells(row) for row in judge_bars(lab, calibration)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def page(path: Path) -> str:
    """Return what the page of a lab is to hold; as it is where it has no marks."""
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text:
        return text
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table(path.stem)}\n\n{END}{after}"


def pages() -> list[Path]:
    """Return the pages of the labs."""
    return sorted((ROOT / "docs" / "labs").glob("*.md"))


def _cells(row: JudgedBar) -> tuple[str, ...]:
    found = row.assessment
    return (
        f"`{row.bar}`",
        row.variant or "-",
        f"{found.mean:.3f}",
        f"{found.sd:.3f}",
        f"{found.worst:.3g}",
        f"{found.threshold:.3g}",
        f"{min(found.margin, WIDEST_MARGIN):.1f} sd",
        f"{found.bound:.0e} ({found.counts.value})",
        f"{row.best.value:.3g} {row.best.name}" if row.best else "",
    )


def main() -> int:
    """Write the pages."""
    for path in pages():
        path.write_text(page(path), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
