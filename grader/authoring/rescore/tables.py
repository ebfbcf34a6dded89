"""A comparison as files: CSV for a spreadsheet, JSON for scripts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict

from grader.authoring.rescore.changes import Change, Standing, moved
from grader.authoring.rescore.sentences import why
from grader.report.export import safe_cell

_COLUMNS = (
    "name",
    "moves",
    "points",
    "status_before",
    "score_before",
    "status_after",
    "score_after",
    "why",
)


def changes_to_csv(found: Sequence[Change]) -> str:
    """Write one line a submission, also of those who stay."""
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for change in found:
        table.writerow(
            [
                safe_cell(change.name),
                "yes" if change.moves else "no",
                _number(change.points),
                *_cells(change.before),
                *_cells(change.after),
                safe_cell(why(change)),
            ]
        )
    return out.getvalue()


def changes_to_json(found: Sequence[Change]) -> str:
    """Write the counts and every submission with all its tests that came to something else."""
    rows = [
        {"name": change.name, "moves": change.moves, "points": change.points, **asdict(change)}
        for change in found
    ]
    whole = {"submissions": len(found), "moved": len(moved(found)), "changes": rows}
    return json.dumps(whole, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _cells(standing: Standing | None) -> tuple[str, str]:
    return ("", "") if standing is None else (standing.status.value, _number(standing.score))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
