"""Choosing the variants of a term's lab, which is done before anybody hands in."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Assignment
from portal.courses.models import Offering
from portal.courses.service import find_term
from portal.platform.errors import Invalid
from portal.submissions.models import Submission
from portal.teams.service import size_of


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
    if len(names) > 1 and size_of(offering) > 1:
        raise Invalid(
            f"teams hand in {offering.title}, and members of one would be drawn several variants; "
            "choose one"
        )
    offering.variants = tuple(dict.fromkeys(names))
    return offering


def _offering(session: Session, term_slug: str, assignment: Assignment) -> Offering:
    term = find_term(session, term_slug)
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
