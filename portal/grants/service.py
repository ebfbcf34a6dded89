"""Granting more time and attempts, and what therefore holds for whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, joinedload

from portal.audit.service import record
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.policy import NOTHING, Conditions, Granted, conditions
from portal.grants.models import MOST_ATTEMPTS, Grant
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.reasons import stated

MAX_REASON = 500

Place = tuple[int, int]  # enrolment id, offering id


def granted_to(session: Session, enrolment_ids: Collection[int]) -> dict[Place, Granted]:
    """Return what holds for some students, by student and offering; nothing is left out."""
    return _granted(session, Grant.enrolment_id.in_(enrolment_ids))


def granted_in_term(session: Session, term_id: int) -> dict[Place, Granted]:
    """Return what holds for the students of a term, by student and offering."""
    in_term = select(Offering.id).where(Offering.term_id == term_id)
    return _granted(session, Grant.offering_id.in_(in_term))


def conditions_for(session: Session, enrolment_id: int | None, offering: Offering) -> Conditions:
    """Return what holds for a student in an offering; for None, what holds for everybody."""
    if enrolment_id is None:
        return conditions(offering)
    granted = granted_to(session, [enrolment_id])
    return conditions(offering, granted.get((enrolment_id, offering.id), NOTHING))


def conditions_of_team(
    session: Session, enrolment_ids: Collection[int], offering: Offering
) -> Conditions:
    """Return what holds for a team: for each of its members, what the luckiest was granted."""
    return conditions_together(granted_to(session, enrolment_ids), enrolment_ids, offering)


def conditions_together(
    granted: Mapping[Place, Granted], enrolment_ids: Collection[int], offering: Offering
) -> Conditions:
    """Return the same from what is read already."""
    own = [granted.get((one, offering.id), NOTHING) for one in enrolment_ids]
    dates = [one.due_at for one in own if one.due_at is not None]
    attempts = max((one.attempts for one in own), default=0)
    return conditions(offering, Granted(max(dates, default=None), attempts))


def conditions_of_all(session: Session, offering: Offering) -> Conditions:
    """Return the conditions of the student who has most time: after them, nobody hands in."""
    granted = _granted(session, Grant.offering_id == offering.id).values()
    dates = [one.due_at for one in granted if one.due_at is not None]
    return conditions(offering, Granted(due_at=max(dates, default=None)))


def grants_of(session: Session, term: Term) -> list[Grant]:
    """Return the grants of a term that hold now, the newest first; no empty ones."""
    newest = select(func.max(Grant.id)).group_by(Grant.enrolment_id, Grant.offering_id)
    query = (
        select(Grant)
        .join(Offering, Grant.offering_id == Offering.id)
        .where(Offering.term_id == term.id, Grant.id.in_(newest))
        .options(
            joinedload(Grant.enrolment).joinedload(Enrolment.user),
            joinedload(Grant.offering),
            joinedload(Grant.author),
        )
        .order_by(Grant.id.desc())
    )
    return [grant for grant in session.scalars(query) if not grant.is_empty]


def give(
    session: Session,
    *,
    enrolment: Enrolment,
    offering: Offering,
    due: str,
    attempts: str,
    reason: str,
    author_id: int,
    now: datetime,
) -> Grant:
    """Add a grant and an entry in the audit log; the caller commits.

    `due` is a day and time in the term's zone, as a form sends it, or ""; `attempts` a number or
    "". Both empty takes back what was granted. Raises Invalid for anything else.
    """
    if enrolment.role is not Role.STUDENT:
        raise Invalid(
            gettext(
                "%(name)s is staff in this term: no date binds them",
                name=enrolment.user.display_name,
            )
        )
    due_at = parse_due(due, offering)
    missing = gettext("say why, in a few words: the student and other staff read it")
    reason = stated(reason, MAX_REASON, missing=missing)
    grant = Grant(
        enrolment_id=enrolment.id,
        offering_id=offering.id,
        due_at=due_at,
        attempts=parse_attempts(attempts),
        reason=reason,
        author_id=author_id,
        created_at=now,
    )
    session.add(grant)
    record(
        session,
        at=now,
        actor_id=author_id,
        action="grant.take_back" if grant.is_empty else "grant.give",
        subject=f"enrolment:{enrolment.id}",
        offering=offering.id,
        due_at=due_at.isoformat() if due_at else None,
        attempts=grant.attempts,
        reason=reason,
    )
    return grant


def parse_due(text: str, offering: Offering) -> datetime | None:
    """Read a day and time in the term's zone; None for "". Invalid if it is not after the due."""
    if not text.strip():
        return None
    zone = ZoneInfo(offering.term.timezone)
    try:
        local = datetime.fromisoformat(text.strip())
        if local.tzinfo is not None:
            raise ValueError(text)
        due_at = local.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Invalid(
            gettext("%(text)r is no day and time; write it like 2026-11-30 23:59", text=text)
        ) from None
    if due_at <= offering.due_at:
        when = f"{offering.due_at.astimezone(zone):%Y-%m-%d %H:%M}"
        raise Invalid(
            gettext(
                "%(lab)s is due %(when)s anyway; choose a later time", lab=offering.title, when=when
            )
        )
    return due_at


def parse_attempts(text: str) -> int:
    """Read a number of attempts; 0 for "". Raises Invalid for no number and for too large ones."""
    text = text.strip() or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid(gettext("%(text)r is no number of attempts; write one like 3", text=text))
    if int(text) > MOST_ATTEMPTS:
        raise Invalid(
            gettext(
                "%(count)s more attempts are too many; %(most)s is the most",
                count=text,
                most=MOST_ATTEMPTS,
            )
        )
    return int(text)


def _granted(session: Session, which: ColumnElement[bool]) -> dict[Place, Granted]:
    query = select(Grant).where(which).order_by(Grant.id)
    return {
        (grant.enrolment_id, grant.offering_id): Granted(grant.due_at, grant.attempts)
        for grant in session.scalars(query)
    }
