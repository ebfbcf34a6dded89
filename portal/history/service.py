"""Finding a term's entries in the audit log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, func, literal, or_, select
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment, Offering, Term
from portal.courses.titles import lab_title
from portal.people.models import User
from portal.platform.db import sought_last
from portal.platform.language import gettext
from portal.submissions.models import Submission

PAGE_SIZE = 100
_SUBMISSION = "submission:"


@dataclass(frozen=True)
class HistoryLine:
    """One act, with the names of whom and what it was about."""

    at: datetime
    actor: str  # "" for the system
    action: str
    subject: str
    about: str  # whom or what, in words; "" if the words are gone
    detail: Mapping[str, Any]


@dataclass(frozen=True)
class HistoryPage:
    """One page of a term's log, the newest first."""

    lines: tuple[HistoryLine, ...]
    number: int
    last: int
    actions: tuple[str, ...]  # every kind of act that the term's log holds


def history_of(session: Session, term: Term, *, action: str = "", number: int = 1) -> HistoryPage:
    """Return a page of what was done in a term, of one kind or of all."""
    mine = _of(term)
    wanted = [mine] if not action else [mine, AuditEntry.action == action]
    kinds = select(AuditEntry.action, func.count()).where(mine).group_by(AuditEntry.action)
    counts = {kind: count for kind, count in session.execute(kinds)}
    total = counts.get(action, 0) if action else sum(counts.values())
    last = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), last)
    rows = session.execute(
        select(AuditEntry, User.display_name)
        .outerjoin(User, AuditEntry.actor_id == User.id)
        .where(*wanted)
        .order_by(AuditEntry.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    words = _words(session, {entry.subject for entry, _ in rows})
    return HistoryPage(
        lines=tuple(
            HistoryLine(
                at=entry.at,
                actor=name or "",
                action=entry.action,
                subject=entry.subject,
                about=words.get(entry.subject, ""),
                detail=entry.detail,
            )
            for entry, name in rows
        ),
        number=number,
        last=last,
        actions=tuple(sorted(counts)),
    )


def _of(term: Term) -> ColumnElement[bool]:
    """Tell which entries are about a term, what it offers, who takes part and what they sent.

    Of the accounts, which may be of several terms, that somebody failed to log in.
    """
    offering = select(Offering.id).where(Offering.term_id == term.id)
    return or_(
        AuditEntry.subject == f"term:{term.slug}",
        AuditEntry.subject.in_(
            select(literal("offering:") + cast(Offering.id, String)).where(
                Offering.term_id == term.id
            )
        ),
        AuditEntry.subject.in_(
            select(literal("enrolment:") + cast(Enrolment.id, String)).where(
                Enrolment.term_id == term.id
            )
        ),
        and_(
            AuditEntry.action == "login.failed",
            AuditEntry.subject.in_(
                select(literal("user:") + cast(Enrolment.user_id, String)).where(
                    Enrolment.term_id == term.id
                )
            ),
        ),
        # Asked of each entry, of which there are fewer than of submissions.
        and_(
            AuditEntry.subject.startswith(_SUBMISSION),
            exists().where(
                Submission.id == func.substr(AuditEntry.subject, len(_SUBMISSION) + 1),
                sought_last(Submission.offering_id).in_(offering),
            ),
        ),
    )


def _words(session: Session, subjects: set[str]) -> dict[str, str]:
    """Return in words what subjects are, in one query a kind."""
    numbers: dict[str, list[str]] = {}
    for subject in subjects:
        kind, _, number = subject.partition(":")
        numbers.setdefault(kind, []).append(number)
    offerings = [int(number) for number in numbers.get("offering", ()) if number.isdecimal()]
    places = [int(number) for number in numbers.get("enrolment", ()) if number.isdecimal()]
    found = {
        f"offering:{offering.id}": lab_title(offering)
        for offering in session.scalars(select(Offering).where(Offering.id.in_(offerings)))
    }
    found |= {
        f"enrolment:{number}": name
        for number, name in session.execute(
            select(Enrolment.id, User.display_name)
            .join(Enrolment.user)
            .where(Enrolment.id.in_(places))
        )
    }
    people = [int(number) for number in numbers.get("user", ()) if number.isdecimal()]
    found |= {
        f"user:{number}": name
        for number, name in session.execute(
            select(User.id, User.display_name).where(User.id.in_(people))
        )
    }
    found |= {
        f"submission:{number}": gettext(
            "%(name)s, %(lab)s, attempt %(number)s",
            name=name,
            lab=lab_title(offering),
            number=attempt,
        )
        for number, name, offering, attempt in session.execute(
            select(Submission.id, User.display_name, Offering, Submission.attempt)
            .join(Submission.enrolment)
            .join(Enrolment.user)
            .join(Submission.offering)
            .where(Submission.id.in_(numbers.get("submission", ())))
        )
    }
    return found
