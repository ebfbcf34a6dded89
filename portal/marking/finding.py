"""Finding submissions for staff: a filter, a page of what it finds, the newest first.

A filter that leaves few submissions is asked first, and what it finds is sorted. Of any other a
page reads the newest of each lab in the order of an index, whatever the number of older ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, Session, contains_eager, joinedload

from portal.courses.models import Enrolment, Offering, Term
from portal.people.models import User
from portal.platform.db import sought_last
from portal.runs.models import RunState
from portal.runs.speaking import has_graded, spoken_for_by
from portal.standings.attempts import Attempt, attempts_from
from portal.submissions.models import Submission, SubmissionMember

PAGE_SIZE = 50
_UNGRADED = tuple(state for state in RunState if state is not RunState.GRADED)


@dataclass(frozen=True)
class Filter:
    """Which submissions of a term are asked for; None and "" ask for all."""

    term_id: int
    offering_id: int | None = None
    student: str = ""  # part of a name or username
    state: RunState | None = None
    # Who is called so in each offering that is marked without names; only there it holds.
    pseudonyms: Mapping[int, Collection[int]] = field(default_factory=dict)

    @property
    def is_narrow(self) -> bool:
        """Whether it leaves few submissions."""
        return bool(self.student) or self.state in _UNGRADED


@dataclass(frozen=True)
class Page:
    """One page of submissions, the newest first."""

    attempts: tuple[Attempt, ...]
    number: int
    total: int

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.total // PAGE_SIZE))


def find(session: Session, wanted: Filter, number: int = 1) -> Page:
    """Return a page of a term's submissions, each with the run that speaks for it."""
    total = _count(session, wanted)
    last = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), last)
    ids = _newest(session, wanted, (number - 1) * PAGE_SIZE) if total else []
    return Page(tuple(_load(session, ids)), number, total)


def matching(wanted: Filter) -> Select[str]:
    """Select the ids of the submissions that a filter finds, in no order."""
    place: InstrumentedAttribute[int] | ColumnElement[int] = Submission.offering_id
    if wanted.is_narrow:
        place = sought_last(place)
    return select(Submission.id).where(place.in_(_offerings(wanted)), *_conditions(wanted))


def labs_of(session: Session, wanted: Filter) -> list[Offering]:
    """Return the offerings whose submissions are asked for."""
    offerings = session.get_one(Term, wanted.term_id).offerings
    return [one for one in offerings if wanted.offering_id in (None, one.id)]


def _offerings(wanted: Filter) -> Select[int]:
    query = select(Offering.id).where(Offering.term_id == wanted.term_id)
    if wanted.offering_id is not None:
        query = query.where(Offering.id == wanted.offering_id)
    return query


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    """Return what a filter asks of a submission, its term and lab left out."""
    if wanted.student:
        yield _by_student(wanted)
    if wanted.state is RunState.GRADED:
        yield has_graded(Submission.id)
    elif wanted.state is not None:
        yield Submission.id.in_(spoken_for_by([wanted.state]))


def _by_student(wanted: Filter) -> ColumnElement[bool]:
    named = or_(
        User.username.icontains(wanted.student, autoescape=True),
        User.display_name.icontains(wanted.student, autoescape=True),
    )
    theirs = (
        select(SubmissionMember.submission_id)
        .join(SubmissionMember.enrolment)
        .join(Enrolment.user)
        .where(Enrolment.term_id == wanted.term_id, named)
    )
    place = sought_last(Submission.offering_id)
    return or_(
        and_(place.not_in(wanted.pseudonyms), Submission.id.in_(theirs)),
        *(
            and_(place == offering, Submission.enrolment_id.in_(people))
            for offering, people in wanted.pseudonyms.items()
        ),
    )


def _count(session: Session, wanted: Filter) -> int:
    """Count what a filter finds: what is graded, as all without the few that are not."""
    if wanted.state is not RunState.GRADED or wanted.is_narrow:
        found = matching(wanted).subquery()
        return session.scalar(select(func.count()).select_from(found)) or 0
    others = select(func.count(Submission.id)).where(
        Submission.id.in_(spoken_for_by(_UNGRADED)),
        sought_last(Submission.offering_id).in_(_offerings(wanted)),
    )
    return _count(session, replace(wanted, state=None)) - (session.scalar(others) or 0)


def _newest(session: Session, wanted: Filter, skipped: int) -> Sequence[str]:
    """Return the ids of one page of what a filter finds, so many newer ones left out."""
    order = Submission.received_at.desc(), Submission.id.desc()
    if wanted.is_narrow:
        query = matching(wanted).order_by(*order)
    else:
        arms = [
            select(Submission.id, Submission.received_at)
            .where(Submission.offering_id == lab.id, *_conditions(wanted))
            .order_by(*order)
            .limit(skipped + PAGE_SIZE)
            .subquery()
            for lab in labs_of(session, wanted)
        ]
        newest = union_all(*(select(one) for one in arms)).subquery()
        query = select(newest.c.id).order_by(newest.c.received_at.desc(), newest.c.id.desc())
    return session.scalars(query.limit(PAGE_SIZE).offset(skipped)).all()


def _load(session: Session, ids: Sequence[str]) -> list[Attempt]:
    query = (
        select(Submission)
        .join(Enrolment, Submission.enrolment_id == Enrolment.id)
        .join(User, Enrolment.user_id == User.id)
        .where(Submission.id.in_(ids))
        .options(
            contains_eager(Submission.enrolment).contains_eager(Enrolment.user),
            joinedload(Submission.offering),
            joinedload(Submission.members)
            .joinedload(SubmissionMember.enrolment)
            .joinedload(Enrolment.user),
        )
        .order_by(Submission.received_at.desc(), Submission.id.desc())
    )
    return attempts_from(session, session.scalars(query).unique().all())
