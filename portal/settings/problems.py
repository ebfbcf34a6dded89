"""What speaks against settings, before anything is changed: a sentence each."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, UnknownAssignment
from portal.competition.models import CompetitionEntry
from portal.courses.models import Offering, OfferingKind
from portal.courses.service import known_zone
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.settings.values import LABELS, OfferingSettings, TermSettings, settings_of, shown
from portal.submissions.models import Submission

# What scores mean hangs on these: they stand once somebody has handed in.
_FIXED_BY_SUBMISSIONS = ("kind", "assignment", "variants")


def problems_of(
    session: Session, catalogue: Catalogue, offering: Offering | None, wanted: OfferingSettings
) -> tuple[str, ...]:
    """Return what speaks against settings of an offering; None is one that does not exist yet."""
    return (
        *_dates(wanted),
        *_assignment(catalogue, offering, wanted),
        *_teams(wanted),
        *_handed_in(session, offering, wanted),
    )


def zone_problems(wanted: TermSettings) -> Iterator[str]:
    """Yield what speaks against the time zone of a term."""
    try:
        known_zone(wanted.timezone)
    except Invalid as problem:
        yield str(problem)


def _dates(wanted: OfferingSettings) -> Iterator[str]:
    if wanted.due < wanted.opens:
        yield gettext(
            "it is due %(due)s, before it opens %(opens)s",
            due=shown(wanted.due),
            opens=shown(wanted.opens),
        )
    if wanted.closes is not None and wanted.closes < wanted.due:
        yield gettext(
            "it closes %(closes)s, before it is due %(due)s",
            closes=shown(wanted.closes),
            due=shown(wanted.due),
        )


def _assignment(
    catalogue: Catalogue, offering: Offering | None, wanted: OfferingSettings
) -> Iterator[str]:
    if wanted.assignment is None:
        if wanted.kind is OfferingKind.LAB and wanted.published:
            yield gettext(
                "a lab without an assignment has nothing to show; choose one, or unpublish it"
            )
        if wanted.variants:
            yield gettext("without an assignment there are no variants")
        return
    if wanted.kind is OfferingKind.FEEDBACK:
        yield gettext("course feedback has no assignment")
        return
    try:
        known = catalogue.get(wanted.assignment).assignment.variants
    except (UnknownAssignment, ManifestError) as error:
        if offering is None or offering.assignment_slug != wanted.assignment:
            yield str(error)
        return
    for name in wanted.variants:
        if name not in known:
            near = get_close_matches(name, list(known), n=1)
            meant = gettext("did you mean %(name)r? ", name=near[0]) if near else ""
            yield gettext(
                "no variant %(name)r; %(meant)sit has: %(known)s",
                name=name,
                meant=meant,
                known=", ".join(known) or gettext("none"),
            )


def _teams(wanted: OfferingSettings) -> Iterator[str]:
    together = wanted.kind is OfferingKind.LAB and (wanted.team_size or 1) > 1
    if together and len(wanted.variants) > 1:
        yield gettext(
            "a team hands in one piece of work, and its members would be drawn several variants; "
            "choose one variant, or a team size of 1"
        )


def _handed_in(
    session: Session, offering: Offering | None, wanted: OfferingSettings
) -> Iterator[str]:
    if offering is None:
        return
    now = settings_of(offering)
    moved = [name for name in _FIXED_BY_SUBMISSIONS if getattr(now, name) != getattr(wanted, name)]
    if not moved:
        return
    if any(
        session.scalar(select(model.id).where(model.offering_id == offering.id).limit(1))
        for model in (Submission, CompetitionEntry)
    ):
        names = gettext(" and ").join(str(LABELS[name]).lower() for name in moved)
        yield gettext(
            "students have handed in already; %(settings)s cannot change under their scores",
            settings=names,
        )
