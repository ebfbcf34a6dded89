"""What would change if a term had other settings, and making it so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.audit.service import record
from portal.courses.models import Offering, Term
from portal.grants.models import Grant
from portal.platform.errors import Invalid
from portal.platform.language import Phrase, lazy, source
from portal.settings.problems import problems_of, zone_problems
from portal.settings.rubrics import apply_rubric, plan_rubric
from portal.settings.values import (
    LABELS,
    TERM_LABELS,
    OfferingSettings,
    TermSettings,
    put,
    settings_of,
    shown,
)
from portal.standings.models import ManualMark
from portal.submissions.models import Submission
from portal.teams.models import Team


@dataclass(frozen=True)
class SettingChange:
    """One setting that would be another."""

    where: str  # the title of an offering, or the term's
    label: Phrase
    before: Phrase | str
    after: Phrase | str

    @property
    def stored(self) -> list[str]:
        """What the audit log keeps of it."""
        return [source(self.before), source(self.after)]


@dataclass(frozen=True)
class TermPlan:
    """What would change, and what speaks against it; with problems, nothing is done."""

    changes: tuple[SettingChange, ...]
    problems: tuple[str, ...]


def changes_of(offering: Offering, wanted: OfferingSettings) -> tuple[SettingChange, ...]:
    """Return what would change in one offering."""
    now = settings_of(offering)
    return tuple(
        SettingChange(
            offering.title, label, shown(getattr(now, name)), shown(getattr(wanted, name))
        )
        for name, label in LABELS.items()
        if getattr(now, name) != getattr(wanted, name)
    )


def change_offering(
    session: Session,
    catalogue: Catalogue,
    offering: Offering,
    wanted: OfferingSettings,
    *,
    actor_id: int | None,
    now: datetime,
) -> tuple[SettingChange, ...]:
    """SettingChange an offering and note what in the audit log; the caller commits.

    Raises Invalid with every problem, and changes nothing then.
    """
    problems = problems_of(session, catalogue, offering, wanted)
    if problems:
        raise Invalid("; ".join(problems))
    changes = changes_of(offering, wanted)
    if changes:
        put(offering, wanted, ZoneInfo(offering.term.timezone))
        _record(session, offering, changes, actor_id=actor_id, now=now)
    return changes


def add_offering(
    session: Session,
    catalogue: Catalogue,
    term: Term,
    wanted: OfferingSettings,
    *,
    actor_id: int | None,
    now: datetime,
) -> Offering:
    """Add an offering at the end of a term; the caller commits. Raises Invalid."""
    problems = problems_of(session, catalogue, None, wanted)
    if problems:
        raise Invalid("; ".join(problems))
    position = max((one.position for one in term.offerings), default=0) + 1
    offering = Offering(position=position)
    put(offering, wanted, ZoneInfo(term.timezone))
    term.offerings.append(offering)
    session.flush()
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="settings.add",
        subject=f"offering:{offering.id}",
        title=offering.title,
    )
    return offering


def remove_offering(
    session: Session, offering: Offering, *, actor_id: int | None, now: datetime
) -> None:
    """Remove an offering that nobody has done anything with; the caller commits.

    Raises Invalid if somebody has handed in, or got a mark or an extension.
    """
    for model, what in (
        (Submission, lazy("students have handed in %(lab)s: it stays; unpublish it to hide it")),
        (ManualMark, lazy("students have marks in %(lab)s: it stays; unpublish it to hide it")),
        (Grant, lazy("students have extensions for %(lab)s: it stays; unpublish it to hide it")),
        (Team, lazy("students have formed teams in %(lab)s: it stays; unpublish it to hide it")),
    ):
        used = select(model.id).where(model.offering_id == offering.id).limit(1)
        if session.scalar(used) is not None:
            raise Invalid(str(what.filled({"lab": offering.title})))
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="settings.remove",
        subject=f"offering:{offering.id}",
        title=offering.title,
    )
    session.delete(offering)


def plan_term(
    session: Session, catalogue: Catalogue, term: Term | None, wanted: TermSettings
) -> TermPlan:
    """Return what would change in a term; None is one that does not exist yet.

    The first entry stands for the first offering, and so on; further entries are new. Offerings
    without an entry stay as they are.
    """
    changes: list[SettingChange] = []
    problems = list(zone_problems(wanted))
    present = list(term.offerings) if term else []
    if term is None:
        changes.append(SettingChange(wanted.title, lazy("Term"), lazy("none"), wanted.slug))
    else:
        changes.extend(term_changes(term, wanted))
    for place, settings in enumerate(wanted.offering):
        offering = present[place] if place < len(present) else None
        if offering is None:
            changes.append(
                SettingChange(settings.title, lazy("Offering"), lazy("none"), _in_short(settings))
            )
        else:
            changes.extend(changes_of(offering, settings))
        problems.extend(
            f"{settings.title}: {problem}"
            for problem in problems_of(session, catalogue, offering, settings)
        )
        try:
            changes.extend(_rubric_changes(session, catalogue, offering, settings))
        except Invalid as problem:
            problems.append(f"{settings.title}: {problem}")
    return TermPlan(tuple(changes), tuple(problems))


def term_changes(term: Term, wanted: TermSettings) -> tuple[SettingChange, ...]:
    """Return what would change in the term itself."""
    return tuple(
        SettingChange(term.title, label, shown(getattr(term, name)), shown(getattr(wanted, name)))
        for name, label in TERM_LABELS.items()
        if getattr(term, name) != getattr(wanted, name)
    )


def change_term(
    session: Session, term: Term, wanted: TermSettings, *, actor_id: int | None, now: datetime
) -> tuple[SettingChange, ...]:
    """Give the term itself its settings, not its offerings; the caller commits."""
    changes = term_changes(term, wanted)
    if changes:
        record(
            session,
            at=now,
            actor_id=actor_id,
            action="settings.term",
            subject=f"term:{term.slug}",
            changes={change.label.source: change.stored for change in changes},
        )
    for name in TERM_LABELS:
        setattr(term, name, getattr(wanted, name))
    return changes


def apply_term(
    session: Session,
    catalogue: Catalogue,
    term: Term | None,
    wanted: TermSettings,
    *,
    actor_id: int | None,
    now: datetime,
) -> Term:
    """Give a term its settings, making it if there is none; the caller commits.

    Raises Invalid with every problem, and changes nothing then.
    """
    plan = plan_term(session, catalogue, term, wanted)
    if plan.problems:
        raise Invalid("; ".join(plan.problems))
    if term is None:
        term = Term(slug=wanted.slug, **{name: getattr(wanted, name) for name in TERM_LABELS})
        session.add(term)
        session.flush()
        record(
            session, at=now, actor_id=actor_id, action="settings.term", subject=f"term:{term.slug}"
        )
    zone = ZoneInfo(wanted.timezone)
    present = list(term.offerings)
    # What each offering would lose or gain is read by the old clock, before the new one is set.
    changed = [
        (offering, changes_of(offering, settings))
        for offering, settings in zip(present, wanted.offering, strict=False)
    ]
    change_term(session, term, wanted, actor_id=actor_id, now=now)
    for (offering, changes), settings in zip(changed, wanted.offering, strict=False):
        put(offering, settings, zone)
        if changes:
            _record(session, offering, changes, actor_id=actor_id, now=now)
        apply_rubric(session, catalogue, offering, settings, actor_id=actor_id, now=now)
    for settings in wanted.offering[len(present) :]:
        new = add_offering(session, catalogue, term, settings, actor_id=actor_id, now=now)
        apply_rubric(session, catalogue, new, settings, actor_id=actor_id, now=now)
    return term


def _rubric_changes(
    session: Session, catalogue: Catalogue, offering: Offering | None, wanted: OfferingSettings
) -> Iterator[SettingChange]:
    """Yield what would change in an offering's rubric, and how many marks that would move."""
    plan = plan_rubric(session, catalogue, offering, wanted)
    for one in plan.changes if plan else ():
        named = one.after or one.before
        yield SettingChange(
            wanted.title,
            lazy("Criterion %(title)s", title=named.title if named else ""),
            shown(one.before.points) if one.before else lazy("none"),
            shown(one.after.points) if one.after else lazy("none"),
        )
    if plan and plan.moved:
        number = lazy("%(count)s get other points", count=len(plan.moved))
        yield SettingChange(wanted.title, lazy("Marks given"), lazy("as they are"), number)


def _in_short(settings: OfferingSettings) -> Phrase:
    return lazy(
        "%(points)s points, due %(due)s", points=shown(settings.points), due=shown(settings.due)
    )


def _record(
    session: Session,
    offering: Offering,
    changes: Iterable[SettingChange],
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="settings.change",
        subject=f"offering:{offering.id}",
        changes={change.label.source: change.stored for change in changes},
    )
