"""The gradebook as a CSV file that a spreadsheet may open without running anything in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

from grader.api import safe_cell
from portal.courses.models import Offering
from portal.platform.formats import exact
from portal.standings.by_item import Columns, ItemColumn, points_by_item
from portal.standings.scores import ScoreCard
from portal.standings.table import Gradebook, GradebookRow


def as_csv(book: Gradebook, items: Columns | None = None) -> str:
    """Return the gradebook as CSV with a header line; an empty cell is a score that is missing.

    Before an offering's points come those by item, in the columns that `items` has for it, and the
    share of them that lateness leaves.
    """
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_MINIMAL)
    parts = [(items or {}).get(offering.id, ()) for offering in book.offerings]
    header = ["username", "name", "student_number"]
    for offering, columns in zip(book.offerings, parts, strict=True):
        header += _heads(offering, columns)
    with_days = bool(book.term.late_days)
    header += [f"late days spent ({book.term.late_days})"] if with_days else []
    writer.writerow([safe_cell(cell) for cell in [*header, f"total ({book.max_total})"]])
    for row in book.rows:
        writer.writerow(_cells(row, parts, with_days=with_days))
    return target.getvalue()


def _heads(offering: Offering, columns: Sequence[ItemColumn]) -> list[str]:
    heads = [f"{offering.title}: {_head(one)}" for one in columns]
    heads += [f"{offering.title}: share kept"] if columns else []
    return [*heads, f"{offering.title} ({offering.points})"]


def _head(column: ItemColumn) -> str:
    if column.points is None:
        return column.title
    return f"{column.title} ({'bonus ' if column.bonus else ''}{exact(column.points)})"


def _cells(
    row: GradebookRow, parts: Sequence[Sequence[ItemColumn]], *, with_days: bool
) -> list[str]:
    user = row.enrolment.user
    cells = [
        safe_cell(text) for text in (user.username, user.display_name, row.enrolment.student_number)
    ]
    for line, columns in zip(row.lines, parts, strict=True):
        cells += _of_items(line, columns) if columns else []
        cells.append(_number(line.points))
    return [*cells, *([str(row.days_spent)] if with_days else []), _number(row.total)]


def _of_items(line: ScoreCard, columns: Sequence[ItemColumn]) -> list[str]:
    found = points_by_item(line)
    points = [exact(found[one.id]) if one.id in found else "" for one in columns]
    return [*points, "" if line.missing else exact(line.late_factor)]


def _number(points: Decimal | None) -> str:
    return "" if points is None else f"{points:.2f}"
