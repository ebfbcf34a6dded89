"""The rubrics of a term as its course file has them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.courses.models import Offering, Term
from portal.settings.values import (
    CriterionSettings,
    OfferingSettings,
    TermSettings,
    put,
    term_settings,
)
from portal.standings.criteria import (
    CriteriaPlan,
    WantedCriterion,
    change_criteria,
    criteria_of,
    plan_criteria,
)
from portal.standings.rubric import rubric_items


def course_settings(session: Session, term: Term) -> TermSettings:
    """Return the settings of a term as they are, with the criteria of each offering."""
    settings = term_settings(term)
    with_criteria = (
        one.model_copy(update={"criterion": _criteria(session, offering)})
        for offering, one in zip(term.offerings, settings.offering, strict=True)
    )
    return settings.model_copy(update={"offering": tuple(with_criteria)})


def plan_rubric(
    session: Session, catalogue: Catalogue, offering: Offering | None, wanted: OfferingSettings
) -> CriteriaPlan | None:
    """Return what settings would change in an offering's rubric; None if they leave it alone.

    `offering` is None if it does not exist yet. Raises Invalid with every problem.
    """
    if _stays(session, offering, wanted):
        return None
    as_wanted = Offering()  # never stored: what people mark there follows from the settings
    put(as_wanted, wanted, ZoneInfo("UTC"))
    items = rubric_items(catalogue, as_wanted)
    return plan_criteria(session, offering.id if offering else None, items, _wanted(wanted))


def apply_rubric(
    session: Session,
    catalogue: Catalogue,
    offering: Offering,
    wanted: OfferingSettings,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Give an offering the criteria that its settings have, if any; the caller commits."""
    if not _stays(session, offering, wanted):
        items = rubric_items(catalogue, offering)
        change_criteria(session, offering, items, _wanted(wanted), actor_id=actor_id, now=now)


def _stays(session: Session, offering: Offering | None, wanted: OfferingSettings) -> bool:
    """Tell whether settings leave a rubric as it is, though its lab's files may be gone."""
    there = _criteria(session, offering) if offering else ()
    return wanted.criterion is None or wanted.criterion == there


def _wanted(settings: OfferingSettings) -> list[WantedCriterion]:
    return [
        WantedCriterion(one.item, one.title, one.points, one.description)
        for one in settings.criterion or ()
    ]


def _criteria(session: Session, offering: Offering) -> tuple[CriterionSettings, ...]:
    return tuple(
        CriterionSettings(
            item=one.item_id, title=one.title, points=one.points, description=one.description
        )
        for group in criteria_of(session, offering.id).values()
        for one in group
    )
