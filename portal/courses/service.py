"""Terms and offerings: making a term by the course's scheme, and what a person sees of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from grader.api import Assignment
from portal.courses.models import STAFF, Enrolment, Offering, OfferingKind, Role, Term
from portal.people.models import User
from portal.platform.errors import Invalid
from portal.platform.language import gettext

LABS = 5
LAB_POINTS = Decimal(14)
COMPETITION_POINTS = Decimal(25)
FEEDBACK_POINTS = Decimal(5)
LAB_WEEKS = 2
END_WEEKS = LABS * LAB_WEEKS + 4  # the competition and the feedback outlast the labs
ATTEMPTS_PER_DAY = 20
ENTRIES_PER_DAY = 5
_TERM_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LAST_MINUTE = time(23, 59)


def create_term(
    session: Session,
    *,
    slug: str,
    title: str,
    timezone: str,
    labs: Sequence[Assignment],
    first_day: date,
    competition: Assignment | None = None,
) -> Term:
    """Add a term by the standard scheme: 5 labs of 14 points, a competition of 25, feedback of 5.

    Labs open every other week from `first_day` in the term's zone and are due two weeks later at
    23:59. Places without an assignment yet stay unpublished. Raises Invalid.
    """
    if not _TERM_SLUG.fullmatch(slug):
        raise Invalid(f"the term's short name {slug!r} cannot be used; write it like 2026-autumn")
    if len(labs) > LABS:
        raise Invalid(f"{len(labs)} labs were named, the scheme has {LABS}; name fewer")
    if session.scalar(select(Term.id).where(Term.slug == slug)) is not None:
        raise Invalid(f"a term {slug!r} exists already; choose another short name")
    term = Term(slug=slug, title=title, timezone=known_zone(timezone))
    calendar = _Calendar(ZoneInfo(timezone), first_day)
    for index in range(LABS):
        term.offerings.append(_lab(index, labs[index] if index < len(labs) else None, calendar))
    term.offerings.append(_competition(competition, calendar))
    term.offerings.append(_feedback(calendar))
    session.add(term)
    session.flush()
    return term


@dataclass(frozen=True)
class _Calendar:
    """Turns weeks of the term into instants, by the wall clock of its zone."""

    zone: ZoneInfo
    first_day: date

    def opens(self, weeks: int) -> datetime:
        """Return midnight at the start of a week."""
        day = self.first_day + timedelta(weeks=weeks)
        return datetime.combine(day, time(0), self.zone).astimezone(UTC)

    def due(self, weeks: int) -> datetime:
        """Return 23:59 of the last day before a week."""
        day = self.first_day + timedelta(weeks=weeks, days=-1)
        return datetime.combine(day, _LAST_MINUTE, self.zone).astimezone(UTC)


def _lab(index: int, assignment: Assignment | None, calendar: _Calendar) -> Offering:
    number = index + 1
    return Offering(
        kind=OfferingKind.LAB,
        assignment_slug=assignment.slug if assignment else None,
        title=f"Lab {number}: {assignment.title}" if assignment else f"Lab {number}",
        points=LAB_POINTS,
        position=number,
        opens_at=calendar.opens(LAB_WEEKS * index),
        due_at=calendar.due(LAB_WEEKS * number),
        attempts_per_day=ATTEMPTS_PER_DAY,
        published=assignment is not None,
    )


def _competition(assignment: Assignment | None, calendar: _Calendar) -> Offering:
    return Offering(
        kind=OfferingKind.COMPETITION,
        assignment_slug=assignment.slug if assignment else None,
        title=assignment.title if assignment else "Competition",
        points=COMPETITION_POINTS,
        position=LABS + 1,
        opens_at=calendar.opens(LABS),
        due_at=calendar.due(END_WEEKS),
        attempts_per_day=ENTRIES_PER_DAY,
        published=assignment is not None,
    )


def _feedback(calendar: _Calendar) -> Offering:
    return Offering(
        kind=OfferingKind.FEEDBACK,
        title="Course feedback",
        points=FEEDBACK_POINTS,
        position=LABS + 2,
        opens_at=calendar.opens(LABS * LAB_WEEKS),
        due_at=calendar.due(END_WEEKS),
        published=True,
    )


def known_zone(name: str) -> str:
    """Return the name of a time zone; Invalid if there is none of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            gettext(
                "%(name)r is not a time zone; write one like Europe/Berlin or Asia/Shanghai",
                name=name,
            )
        ) from None
    return name


def known_term(session: Session, slug: str) -> Term | None:
    """Return a term by its short name; None if there is none."""
    return session.scalar(select(Term).where(Term.slug == slug))


def find_term(session: Session, slug: str) -> Term:
    """Return a term by its short name. Raises Invalid with the way out."""
    term = known_term(session, slug)
    if term is None:
        raise Invalid(f"there is no term {slug!r}; create it with portal create-term")
    return term


def enrol(
    session: Session, term: Term, user: User, role: Role, *, student_number: str = ""
) -> Enrolment:
    """Add a person to a term; Invalid if they are in it already."""
    taken = session.scalar(
        select(Enrolment.id).where(Enrolment.term_id == term.id, Enrolment.user_id == user.id)
    )
    if taken is not None:
        raise Invalid(f"{user.username} takes part in {term.title} already")
    enrolment = Enrolment(term=term, user=user, role=role, student_number=student_number)
    session.add(enrolment)
    session.flush()
    return enrolment


def enrolments_of(session: Session, user_id: int) -> list[Enrolment]:
    """Return where a person takes part, the newest term first, term and user loaded."""
    query = (
        select(Enrolment)
        .where(Enrolment.user_id == user_id, Enrolment.active)
        .options(joinedload(Enrolment.term), joinedload(Enrolment.user))
        .order_by(Enrolment.term_id.desc())
    )
    return list(session.scalars(query))


def roster_of(session: Session, term: Term) -> list[Enrolment]:
    """Return everybody in a term: instructors, TAs, students, each by username; who left, last."""
    query = (
        select(Enrolment)
        .join(Enrolment.user)
        .where(Enrolment.term_id == term.id)
        .options(joinedload(Enrolment.user))
        .order_by(User.username)
    )
    rank = {Role.INSTRUCTOR: 0, Role.TA: 1, Role.STUDENT: 2}
    return sorted(session.scalars(query), key=lambda one: (not one.active, rank[one.role]))


def students(session: Session, term_id: int) -> list[Enrolment]:
    """Return the students who take part in a term by name, their accounts loaded."""
    query = (
        select(Enrolment)
        .join(User, Enrolment.user_id == User.id)
        .where(Enrolment.term_id == term_id, Enrolment.active, Enrolment.role == Role.STUDENT)
        .options(joinedload(Enrolment.user))
        .order_by(User.display_name, User.username)
    )
    return list(session.scalars(query))


def visible_offerings(session: Session, enrolment: Enrolment) -> list[Offering]:
    """Return the offerings a person sees in their term: students only published ones."""
    query = select(Offering).where(Offering.term_id == enrolment.term_id)
    if enrolment.role not in STAFF:
        query = query.where(Offering.published)
    return list(session.scalars(query.order_by(Offering.position)))


@dataclass(frozen=True)
class StaffTerm:
    """A term whose staff pages a person may open."""

    slug: str
    title: str
    leads: bool  # as an instructor, or an admin


def staff_terms(session: Session, user: User) -> list[StaffTerm]:
    """Return the terms a person is staff of, newest first; all of them for an admin."""
    if user.is_admin:
        terms = session.scalars(select(Term).order_by(Term.id.desc()))
        return [StaffTerm(term.slug, term.title, leads=True) for term in terms]
    query = (
        select(Enrolment)
        .where(Enrolment.user_id == user.id, Enrolment.active, Enrolment.role.in_(STAFF))
        .options(joinedload(Enrolment.term))
        .order_by(Enrolment.term_id.desc())
    )
    return [
        StaffTerm(one.term.slug, one.term.title, leads=one.role is Role.INSTRUCTOR)
        for one in session.scalars(query)
    ]
