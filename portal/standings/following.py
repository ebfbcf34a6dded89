"""Standings follow the rows: whatever changes one rewrites it, in its own transaction.

A session notes whose score its rows may change: a new run or result, a run that moved, a mark, a
choice of the attempt that counts, a grant, an offering's dates or policy, a term's late days.
Before it commits, these students are rewritten. Nobody who adds such a row can forget it. Whoever
writes around the session, in bulk, calls `keeping.rebuild`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session

from portal.courses.models import Enrolment, Offering, Term
from portal.grants.models import Grant
from portal.runs.models import Event, EventKind, GradingRun, Result
from portal.standings.keeping import rewrite
from portal.standings.models import AttemptChoice, ManualMark
from portal.submissions.models import SubmissionMember

_TOUCHED = "portal.standings"
_DECISIVE = {
    Offering: ("due_at", "grace_minutes", "late_percent", "policy"),
    Term: ("late_days", "late_days_a_lab"),
}
_PASSING = frozenset({EventKind.STARTED, EventKind.PROGRESS})


@dataclass
class _Touched:
    """Whose scores the rows of a session may change."""

    runs: set[str] = field(default_factory=set)
    enrolments: set[int] = field(default_factory=set)
    granted: set[int] = field(default_factory=set)  # and of those who were in a team with them
    terms: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.runs or self.enrolments or self.granted or self.terms)


def _note(session: Session, _context: object, _instances: object) -> None:
    """Note whose scores the rows that are about to be written may change."""
    touched = session.info.setdefault(_TOUCHED, _Touched())
    for row in (*session.new, *session.dirty):
        if isinstance(row, GradingRun):
            touched.runs.add(row.id)
        elif isinstance(row, Result) or (isinstance(row, Event) and row.kind not in _PASSING):
            touched.runs.add(row.run_id)
        elif isinstance(row, ManualMark | AttemptChoice):
            touched.enrolments.add(row.enrolment_id)
        elif isinstance(row, Grant):
            touched.granted.add(row.enrolment_id)
        elif isinstance(row, Offering | Term) and _decides(row):
            touched.terms.add(row.id if isinstance(row, Term) else row.term_id)


def _decides(row: Offering | Term) -> bool:
    state: Any = inspect(row)
    changed = any(state.attrs[name].history.has_changes() for name in _DECISIVE[type(row)])
    return state.persistent and changed  # in a new one nobody stands yet


def _rewrite_touched(session: Session) -> None:
    if session.new or session.dirty or session.deleted:
        session.flush()
    touched: _Touched | None = session.info.pop(_TOUCHED, None)
    if touched:
        rewrite(session, _students(session, touched), terms=touched.terms)


def _students(session: Session, touched: _Touched) -> set[int]:
    found = touched.enrolments | touched.granted
    members = select(SubmissionMember.enrolment_id)
    if touched.runs:
        sent = members.join(GradingRun, GradingRun.submission_id == SubmissionMember.submission_id)
        found.update(session.scalars(sent.where(GradingRun.id.in_(touched.runs))))
    if touched.granted:
        theirs = select(SubmissionMember.submission_id).where(
            SubmissionMember.enrolment_id.in_(touched.granted)
        )
        found.update(session.scalars(members.where(SubmissionMember.submission_id.in_(theirs))))
    if touched.terms:
        in_terms = select(Enrolment.id).where(Enrolment.term_id.in_(touched.terms))
        found.update(session.scalars(in_terms))
    return found


def _forget(session: Session) -> None:
    session.info.pop(_TOUCHED, None)


def follow() -> None:
    """Have every session of this process do so."""
    for name, what in (
        ("before_flush", _note),
        ("before_commit", _rewrite_touched),
        ("after_rollback", _forget),
    ):
        if not event.contains(Session, name, what):
            event.listen(Session, name, what)
