"""The gradebook as a CSV file that a spreadsheet may open without running anything in it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from grader.api import safe_cell
from portal.standings.table import Gradebook, GradebookRow


def as_csv(book: Gradebook) -> str:
    """Return the gradebook as CSV with a header line; an empty cell is a score that is missing."""
    target = io.StringIO()
    writer = csv.writer(target, quoting=csv.QUOTE_MINIMAL)
    header = ["username", "name", "student_number"]
    header += [f"{offering.title} ({offering.points})" for offering in book.offerings]
    with_days = bool(book.term.late_days)
    header += [f"late days spent ({book.term.late_days})"] if with_days else []
    writer.writerow([safe_cell(cell) for cell in [*header, f"total ({book.max_total})"]])
    for row in book.rows:
        writer.writerow(_cells(row, with_days=with_days))
    return target.getvalue()


def _cells(row: GradebookRow, *, with_days: bool) -> list[str]:
    user = row.enrolment.user
    people = [
        safe_cell(text) for text in (user.username, user.display_name, row.enrolment.student_number)
    ]
    points = [_number(line.points) for line in row.lines]
    return [*people, *points, *([str(row.days_spent)] if with_days else []), _number(row.total)]


def _number(points: Decimal | None) -> str:
    return "" if points is None else f"{points:.2f}"
