"""The form of a lab's rubric: rows of text, read as criteria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.standings.criteria import MOST_CRITERIA, WantedCriterion
from portal.standings.models import Criterion
from portal.standings.rubric import ManualItem

_BLANK = 3  # rows of each item for new criteria
_MOST_ROWS = 2 * MOST_CRITERIA


@dataclass(frozen=True)
class CriterionRow:
    """One row as it is typed; a row without words is none."""

    item_id: str
    id: str = ""  # of the criterion that it changes
    title: str = ""
    points: str = ""
    description: str = ""
    remove: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was written into it."""
        return not (self.title or self.points or self.description)


def rows_of(
    items: Sequence[ManualItem], criteria: Mapping[str, Sequence[Criterion]]
) -> list[CriterionRow]:
    """Return the rows of the criteria as they are, with blank ones after each item's."""
    rows = []
    for item in items:
        rows += [
            CriterionRow(item.id, str(one.id), one.title, f"{one.points:f}", one.description)
            for one in criteria.get(item.id, ())
        ]
        rows += [CriterionRow(item.id)] * _BLANK
    return rows


def read_rows(form: Mapping[str, str]) -> list[CriterionRow]:
    """Read the rows of a form, whose fields are numbered: ``title-0``, ``title-1``."""
    rows: list[CriterionRow] = []
    while f"item-{len(rows)}" in form and len(rows) < _MOST_ROWS:
        number = len(rows)
        rows.append(
            CriterionRow(
                item_id=form[f"item-{number}"],
                id=form.get(f"id-{number}", ""),
                title=form.get(f"title-{number}", "").strip(),
                points=form.get(f"points-{number}", "").strip(),
                description=form.get(f"description-{number}", "").strip(),
                remove=bool(form.get(f"remove-{number}")),
            )
        )
    return rows


def criteria_in(rows: Sequence[CriterionRow]) -> list[WantedCriterion]:
    """Return the criteria that rows ask for. Raises Invalid with every problem."""
    wanted, problems = [], []
    for row in rows:
        if row.remove or row.is_blank:
            continue
        try:
            wanted.append(_criterion(row))
        except Invalid as problem:
            problems.append(str(problem))
    if problems:
        raise Invalid("; ".join(problems))
    return wanted


def _criterion(row: CriterionRow) -> WantedCriterion:
    title = row.title[:60] or "…"
    try:
        points = Decimal(row.points.replace(",", ".").replace("−", "-"))
        fits = points.is_finite() and points == points.quantize(Decimal("0.01"))
    except InvalidOperation:
        fits = False
    if not fits:
        raise Invalid(
            gettext(
                "criterion %(title)r: %(points)r is no number of points; write one like 1.5, or "
                "-0.5 for what is taken off",
                title=title,
                points=row.points[:40],
            )
        )
    number = int(row.id) if row.id.isascii() and row.id.isdigit() else None
    return WantedCriterion(row.item_id, row.title, points, row.description, number)
