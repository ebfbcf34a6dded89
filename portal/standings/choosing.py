"""Choosing by hand which attempt counts, in a lab that leaves it to its students.

Students choose until the lab closes for them, staff whenever it is needed, with a reason. A choice
is never changed: a later one replaces it, and one of nothing lets the best attempt count again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.audit.service import record
from portal.courses.models import AttemptPolicy, Enrolment, Offering, Role
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.reasons import stated
from portal.runs.models import RunState
from portal.runs.speaking import current_runs
from portal.standings.models import AttemptChoice, Place
from portal.submissions.members import had_part
from portal.submissions.models import Submission
from portal.teams.parties import conditions_here

MAX_REASON = 500


@dataclass(frozen=True)
class Choice:
    """How the choice stands in one lab for one student."""

    latest: AttemptChoice | None  # None: nobody has chosen
    open: bool  # whether the student may choose now

    @property
    def made(self) -> AttemptChoice | None:
        """The choice that holds; None while the best attempt counts by default."""
        return self.latest if self.latest and self.latest.submission_id else None


def chosen_in(session: Session, enrolment_ids: Collection[int]) -> dict[Place, str | None]:
    """Return which attempts some students have chosen; None where the choice was taken back."""
    query = (
        select(AttemptChoice.enrolment_id, AttemptChoice.offering_id, AttemptChoice.submission_id)
        .where(AttemptChoice.enrolment_id.in_(enrolment_ids))
        .order_by(AttemptChoice.id)
    )
    return {(enrolment, offering): chosen for enrolment, offering, chosen in session.execute(query)}


def choice_of(
    session: Session, enrolment: Enrolment, offering: Offering, *, now: datetime
) -> Choice | None:
    """Return how a student's choice stands; None in a lab where a rule decides."""
    if offering.policy is not AttemptPolicy.CHOSEN:
        return None
    latest = session.scalar(
        select(AttemptChoice)
        .where(AttemptChoice.enrolment_id == enrolment.id, AttemptChoice.offering_id == offering.id)
        .options(joinedload(AttemptChoice.author), joinedload(AttemptChoice.submission))
        .order_by(AttemptChoice.id.desc())
        .limit(1)
    )
    closed = conditions_here(session, offering, enrolment.id).is_closed(now)
    return Choice(latest, open=not closed)


def choose_own(
    session: Session,
    *,
    enrolment: Enrolment,
    offering: Offering,
    submission_id: str,
    now: datetime,
) -> AttemptChoice:
    """Add a student's own choice; the caller commits. "" lets the best attempt count.

    Raises Invalid once the lab is closed for them, and as `_add` does.
    """
    if conditions_here(session, offering, enrolment.id).is_closed(now):
        raise Invalid(
            gettext("this lab is closed, so which attempt counts stays; ask staff if it is wrong")
        )
    author = enrolment.user_id
    return _add(session, enrolment, offering, submission_id, author_id=author, reason="", now=now)


def choose_for(
    session: Session,
    *,
    enrolment: Enrolment,
    offering: Offering,
    submission_id: str,
    author_id: int,
    reason: str,
    now: datetime,
) -> AttemptChoice:
    """Add the choice that staff make for a student, at any time; the caller commits.

    Raises Invalid without a reason, and as `_add` does.
    """
    missing = gettext("say why, in a few words: the student and other staff read it")
    reason = stated(reason, MAX_REASON, missing=missing)
    return _add(
        session, enrolment, offering, submission_id, author_id=author_id, reason=reason, now=now
    )


def _add(
    session: Session,
    enrolment: Enrolment,
    offering: Offering,
    submission_id: str,
    *,
    author_id: int,
    reason: str,
    now: datetime,
) -> AttemptChoice:
    """Add a choice and an entry in the audit log.

    Raises Invalid where nothing is to be chosen, and for an attempt that is not this student's in
    this lab or has no result.
    """
    if offering.policy is not AttemptPolicy.CHOSEN:
        raise Invalid(gettext("in %(lab)s a rule says which attempt counts", lab=offering.title))
    if enrolment.role is not Role.STUDENT:
        raise Invalid(
            gettext(
                "%(name)s is staff in this term: none of their attempts counts",
                name=enrolment.user.display_name,
            )
        )
    chosen = _graded(session, enrolment, offering, submission_id) if submission_id else None
    choice = AttemptChoice(
        enrolment_id=enrolment.id,
        offering_id=offering.id,
        submission_id=chosen.id if chosen else None,
        reason=reason,
        author_id=author_id,
        created_at=now,
    )
    session.add(choice)
    record(
        session,
        at=now,
        actor_id=author_id,
        action="attempt.choose" if chosen else "attempt.choose_none",
        subject=f"enrolment:{enrolment.id}",
        offering=offering.id,
        attempt=chosen.attempt if chosen else None,
        submission=chosen.id if chosen else None,
        reason=reason,
    )
    return choice


def _graded(
    session: Session, enrolment: Enrolment, offering: Offering, submission_id: str
) -> Submission:
    found = session.get(Submission, submission_id)
    if (
        found is None
        or found.offering_id != offering.id
        or not had_part(session, found.id, enrolment.id)
    ):
        raise Invalid(gettext("this attempt belongs to another student or lab; reload the page"))
    run = current_runs(session, [found.id]).get(found.id)
    if run is None or run.state is not RunState.GRADED:
        raise Invalid(
            gettext(
                "attempt %(number)s has no result, so it cannot count; choose a graded one",
                number=found.attempt,
            )
        )
    return found
