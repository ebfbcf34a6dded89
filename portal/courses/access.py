"""Who may see what: the guards that every view passes through.

A thing that is not for this person answers 404, as a thing that does not exist: an id must not
tell whether somebody else's submission is there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from portal.courses.anonymity import Veil, veil_over
from portal.courses.models import STAFF, Enrolment, Offering, Role, Term
from portal.people.login import me
from portal.people.models import User
from portal.platform.web import portal


def enrolment_in(session: Session, term_id: int, user_id: int) -> Enrolment | None:
    """Return a person's enrolment in a term they take part in, its user and term loaded."""
    return session.scalar(
        select(Enrolment)
        .where(Enrolment.term_id == term_id, Enrolment.user_id == user_id, Enrolment.active)
        .options(joinedload(Enrolment.user), joinedload(Enrolment.term))
    )


def has_role(session: Session, term_id: int, user: User, roles: Collection[Role]) -> bool:
    """Tell whether a person has one of the roles in a term; an admin has every one."""
    if user.is_admin:
        return True
    enrolment = enrolment_in(session, term_id, user.id)
    return enrolment is not None and enrolment.role in roles


def require_role(session: Session, term_id: int, roles: Collection[Role] = STAFF) -> User:
    """Return the logged-in person if they have one of the roles in the term, else answer 404."""
    user = me()
    if not has_role(session, term_id, user, roles):
        abort(404)
    return user


def staff_term(session: Session, slug: str, roles: Collection[Role] = STAFF) -> Term:
    """Return a term for one of its staff (an admin too); 404 for anybody else."""
    term = session.scalar(select(Term).where(Term.slug == slug))
    if term is None:
        abort(404)
    require_role(session, term.id, roles)
    return term


def reader_veil(session: Session, term: Term) -> Veil:
    """Return what hides a term's students from the logged-in person, who is staff of it."""
    hidden = any(one.hides_names for one in term.offerings)
    leads = hidden and has_role(session, term.id, me(), {Role.INSTRUCTOR})
    return veil_over(session, term, leads=leads, key=portal().config.grading_key)


def require_leader(session: Session) -> User:
    """Return the logged-in person if they lead a term, or are an admin; else answer 404."""
    user = me()
    leads = select(Enrolment.id).where(
        Enrolment.user_id == user.id, Enrolment.active, Enrolment.role == Role.INSTRUCTOR
    )
    if not user.is_admin and session.scalar(leads.limit(1)) is None:
        abort(404)
    return user


@dataclass(frozen=True)
class OfferingAccess:
    """An offering the logged-in person may see, and in which capacity."""

    offering: Offering
    enrolment: Enrolment | None  # None: an admin who takes no part in the term
    is_staff: bool


def require_offering(session: Session, offering_id: int) -> OfferingAccess:
    """Return an offering to people of its term, an unpublished one to staff; else answer 404."""
    offering = session.get(Offering, offering_id, options=[joinedload(Offering.term)])
    if offering is None:
        abort(404)
    user = me()
    enrolment = enrolment_in(session, offering.term_id, user.id)
    is_staff = user.is_admin or (enrolment is not None and enrolment.role in STAFF)
    if not is_staff and (enrolment is None or not offering.published):
        abort(404)
    return OfferingAccess(offering, enrolment, is_staff)
