"""Marking without names: what each student is called meanwhile, and to whom names are told.

While a lab is marked so, its staff read a pseudonym where they mark it, the same one on each page,
which nobody can work out without the installation's key. An instructor may have a student revealed;
teaching assistants are told nobody's name. It ends when the marks are published.
"""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.courses.models import Enrolment, Offering, Reveal, Term
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.reasons import for_the_history

MAX_REASON = 400
Place = tuple[int, int]  # enrolment id, offering id


@dataclass(frozen=True)
class Veil:
    """What hides students from one reader of a term's pages."""

    key: bytes
    offerings: frozenset[int]  # that are marked without names
    revealed: frozenset[Place]  # whose names this reader is told all the same
    leads: bool  # the reader may have students revealed

    def hides(self, enrolment_id: int, offering_id: int) -> bool:
        """Tell whether a student's name is not for this reader, beside work for an offering."""
        return offering_id in self.offerings and (enrolment_id, offering_id) not in self.revealed

    def binds(self, offering_id: int) -> bool:
        """Tell whether no page may lead this reader from a name to the work for an offering."""
        return offering_id in self.offerings and not self.leads

    def name(self, enrolment_id: int, offering_id: int, known_as: str) -> str:
        """Return what a student is called beside work for an offering."""
        if not self.hides(enrolment_id, offering_id):
            return known_as
        return gettext("Student %(code)s", code=self.code(enrolment_id, offering_id))

    def code(self, enrolment_id: int, offering_id: int) -> str:
        """Return a student's pseudonym in an offering: ``K7Q-M2X``."""
        text = f"pseudonym {offering_id} {enrolment_id}"
        letters = base64.b32encode(hmac.digest(self.key, text.encode(), "sha256")).decode()
        return f"{letters[:3]}-{letters[3:6]}"

    def stem(self, enrolment_id: int, offering_id: int, username: str) -> str:
        """Return what a student's files are called by in downloads."""
        hidden = self.hides(enrolment_id, offering_id)
        return self.code(enrolment_id, offering_id).lower() if hidden else username

    def file_name(self, enrolment_id: int, offering_id: int, sent: str) -> str:
        """Return the name of an upload without what its sender may have written into it."""
        if not self.hides(enrolment_id, offering_id):
            return sent
        suffix = PurePath(sent).suffix
        return "upload" + (suffix if re.fullmatch(r"\.[A-Za-z0-9]{1,8}", suffix) else "")


def veil_over(session: Session, term: Term, *, leads: bool, key: bytes) -> Veil:
    """Return what hides the students of a term from somebody who leads it, or only marks."""
    offerings = frozenset(one.id for one in term.offerings if one.hides_names)
    told: frozenset[Place] = frozenset()
    if offerings and leads:
        query = select(Reveal.enrolment_id, Reveal.offering_id)
        rows = session.execute(query.where(Reveal.offering_id.in_(offerings)))
        told = frozenset((enrolment, offering) for enrolment, offering in rows)
    return Veil(key, offerings, told, leads)


def called(session: Session, term: Term, veil: Veil, text: str) -> dict[int, Collection[int]]:
    """Return who in each lab marked without names is called by something that has `text` in it."""
    people = session.scalars(select(Enrolment).where(Enrolment.term_id == term.id)).all()
    return {
        offering: [one.id for one in people if text.casefold() in _names(veil, one, offering)]
        for offering in veil.offerings
    }


def reveal(
    session: Session,
    enrolment: Enrolment,
    offering: Offering,
    *,
    reason: str,
    author_id: int,
    now: datetime,
) -> Reveal:
    """Tell a student's name to the instructors; Invalid without a reason, or if it is told anyway.

    That the author leads the term is the caller's to make sure.
    """
    if not offering.hides_names:
        raise Invalid(gettext("this lab is not marked without names (any more); reload the page"))
    reason = for_the_history(reason, MAX_REASON)
    made = Reveal(
        enrolment_id=enrolment.id,
        offering_id=offering.id,
        reason=reason,
        author_id=author_id,
        at=now,
    )
    session.add(made)
    record(
        session,
        at=now,
        actor_id=author_id,
        action="student.reveal",
        subject=f"enrolment:{enrolment.id}",
        offering=offering.id,
        reason=reason,
    )
    return made


def _names(veil: Veil, enrolment: Enrolment, offering_id: int) -> str:
    shown = veil.name(enrolment.id, offering_id, enrolment.user.display_name)
    hidden = veil.hides(enrolment.id, offering_id)
    return (shown if hidden else f"{shown} {enrolment.user.username}").casefold()
