"""A table of scores for spreadsheets: one line a submission, one column an item."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from grader.report.report import Report
from grader.text import clean_line

_FIRST = (
    "name",
    "status",
    "score",
    "max_score",
    "manual_max_score",
    "pending_score",
    "cpu_seconds",
    "tier",
)
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "|", "%")


def to_csv(reports: Sequence[Report]) -> str:
    """Write scores as CSV with CRLF line ends; what has no score stays empty."""
    items = list(dict.fromkeys(item for report in reports for item in _scores(report)))
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow([*_FIRST, *items, "messages"])
    for report in reports:
        scores = _scores(report)
        tier = report.environment.tier if report.environment else None
        table.writerow(
            [
                safe_cell(report.submission),
                report.status.value,
                _number(report.score),
                _number(report.max_score),
                _number(report.manual_max_score),
                _number(report.pending_score),
                _number(report.cpu_seconds),
                _number(tier),
                *(_number(scores.get(item)) for item in items),
                safe_cell(" ".join(report.messages)),
            ]
        )
    return out.getvalue()


def safe_cell(text: str) -> str:
    """Return text on one line that a spreadsheet shows rather than computes.

    Where the decimal comma is used a spreadsheet splits at semicolons: what follows one is as
    good as a cell of its own.
    """
    return ";".join(map(_inert, clean_line(text, 2000).split(";")))


def for_spreadsheets(table: str) -> bytes:
    """Return a CSV text as a file: UTF-8, with the mark that Excel needs for more than ASCII."""
    return table.encode("utf-8" if table.isascii() else "utf-8-sig", "replace")


def _inert(text: str) -> str:
    return f"'{text}" if text.lstrip(" \ufeff").startswith(_FORMULA) else text


def _scores(report: Report) -> dict[str, float | None]:
    return {item.id: item.score for part in report.parts for item in part.items}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
