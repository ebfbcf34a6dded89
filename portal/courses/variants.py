"""Which variant of a lab a student works on.

An offering names no variant (the assignment's default counts), one for everybody, or several, of
which each student is drawn one from this installation's key, the offering and the student: the
same at every grading, and not to be known beforehand.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Assignment
from portal.courses.models import Offering, Term
from portal.platform.errors import Invalid
from portal.submissions.models import Submission

_SEPARATOR = ","


@dataclass(frozen=True)
class Lot:
    """What decides a student's variant, but for the key."""

    offering_id: int
    user_id: int
    names: tuple[str, ...]  # none: the assignment's default

    @classmethod
    def of(cls, offering: Offering, user_id: int) -> Lot:
        """Read an offering's variants for one person."""
        names = offering.variant.split(_SEPARATOR) if offering.variant else ()
        return cls(offering.id, user_id, tuple(names))

    def draw(self, key: bytes) -> str | None:
        """Return the variant's name; None for the assignment's default."""
        if len(self.names) < 2:
            return self.names[0] if self.names else None
        text = f"variant\n{self.offering_id}\n{self.user_id}".encode()
        number = int.from_bytes(hmac.digest(key, text, hashlib.sha256)[:8], "big")
        return self.names[number % len(self.names)]


def choose_variants(
    session: Session, term_slug: str, assignment: Assignment, names: Sequence[str]
) -> Offering:
    """Set the variants of a term's lab: none for the default, one for all, several to draw from.

    Raises Invalid if the term does not offer the lab, if there is no such variant, or if somebody
    has handed in already: scores by one variant say nothing about another.
    """
    offering = _offering(session, term_slug, assignment)
    for name in names:
        if name not in assignment.variants:
            raise Invalid(_unknown(assignment, name))
    handed_in = select(Submission.id).where(Submission.offering_id == offering.id).limit(1)
    if session.scalar(handed_in) is not None:
        raise Invalid(
            f"students have handed in {offering.title} already; "
            "its variants cannot change under their scores"
        )
    offering.variant = _SEPARATOR.join(dict.fromkeys(names)) or None
    return offering


def _offering(session: Session, term_slug: str, assignment: Assignment) -> Offering:
    term = session.scalar(select(Term).where(Term.slug == term_slug))
    if term is None:
        raise Invalid(f"there is no term {term_slug!r}; create it with portal create-term")
    offered = select(Offering).where(
        Offering.term_id == term.id, Offering.assignment_slug == assignment.slug
    )
    offering = session.scalar(offered)
    if offering is None:
        raise Invalid(f"{term.title} does not offer the lab {assignment.slug!r}")
    return offering


def _unknown(assignment: Assignment, name: str) -> str:
    near = get_close_matches(name, list(assignment.variants), n=1)
    known = ", ".join(assignment.variants) or "none"
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{assignment.slug} has no variant {name!r}; {meant}it has: {known}"
