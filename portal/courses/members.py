"""One person's place in a term: role and number, leaving, coming back, a new password."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.courses.models import STAFF, Enrolment, Role, Term
from portal.courses.roster import INITIAL_COST
from portal.people.models import User
from portal.people.service import set_initial_password
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.passwords import Passwords

MAX_NUMBER = 40


def change_member(
    session: Session,
    enrolment: Enrolment,
    *,
    role: Role,
    student_number: str,
    active: bool,
    actor: User,
    now: datetime,
) -> dict[str, list[str]]:
    """Change a person's place in a term; the caller commits. Returns {what: [before, after]}.

    Raises Invalid if it is the actor's own, if the number is another's, or if the term would be
    left without an instructor.
    """
    number = student_number.strip()
    before = {
        "role": enrolment.role.value,
        "number": enrolment.student_number,
        "takes part": _yes(enrolment.active),
    }
    after = {"role": role.value, "number": number, "takes part": _yes(active)}
    changes = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
    if not changes:
        return {}
    if enrolment.user_id == actor.id and {"role", "takes part"} & set(changes):
        raise Invalid(
            gettext("this is your own place in the term; ask another instructor to change it")
        )
    if len(number) > MAX_NUMBER:
        raise Invalid(
            gettext(
                "the student number is longer than %(most)s characters; shorten it", most=MAX_NUMBER
            )
        )
    if number and number != enrolment.student_number:
        _refuse_taken(session, enrolment, number)
    enrolment.role, enrolment.student_number, enrolment.active = role, number, active
    record(
        session,
        at=now,
        actor_id=actor.id,
        action="roster.change",
        subject=f"enrolment:{enrolment.id}",
        changes=changes,
    )
    return changes


def may_reset(session: Session, actor: User, person: User, term: Term) -> bool:
    """Tell whether somebody who leads a term may give a person a new password.

    With a password comes everything that its person may do. So an instructor may give one only to
    whom they already have power over: a student or TA of this term who is no administrator and no
    staff of any other term. An administrator may give one to anybody else.
    """
    if actor.id == person.id or not person.active:
        return False
    if actor.is_admin:
        return True
    if person.is_admin:
        return False
    places = session.scalars(select(Enrolment).where(Enrolment.user_id == person.id)).all()
    here = [one for one in places if one.term_id == term.id]
    if not here or here[0].role is Role.INSTRUCTOR:
        return False
    return not any(one.role in STAFF for one in places if one.term_id != term.id)


def reset_password(session: Session, person: User, *, actor_id: int | None, now: datetime) -> str:
    """Give a person a new first password and return it: it is shown once and kept nowhere.

    Every session of the account ends. The caller commits.
    """
    password = set_initial_password(Passwords(INITIAL_COST), person)
    record(session, at=now, actor_id=actor_id, action="password.reset", subject=f"user:{person.id}")
    return password


def _refuse_taken(session: Session, enrolment: Enrolment, number: str) -> None:
    taken = session.scalar(
        select(Enrolment).where(
            Enrolment.term_id == enrolment.term_id,
            Enrolment.student_number == number,
            Enrolment.id != enrolment.id,
        )
    )
    if taken is not None:
        raise Invalid(
            gettext(
                "the student number %(number)r is %(owner)s's; mend it",
                number=number,
                owner=taken.user.username,
            )
        )


def _yes(value: bool) -> str:
    return "yes" if value else "no"
