"""Finding submissions for staff, and reading one whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from grader.api import Catalogue, ManifestError, Rejected, UnknownAssignment, clean, receive_bytes
from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.errors import UnknownDigest
from portal.platform.markdown import render_markdown
from portal.platform.store import Store
from portal.runs.models import Event, EventKind, GradingRun, Result, RunState
from portal.runs.speaking import SPEAKS_FIRST
from portal.standings.attempts import Attempt, attempts_from
from portal.standings.to_mark import to_mark
from portal.submissions.models import Submission

PAGE_SIZE = 50
SHOWN_CHARACTERS = 200_000


@dataclass(frozen=True)
class Filter:
    """Which submissions of a term are asked for; None and "" ask for all."""

    term_id: int
    offering_id: int | None = None
    student: str = ""  # part of a name or username
    state: RunState | None = None


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


@dataclass(frozen=True)
class CodeFile:
    """A graded file as it may be shown."""

    path: str
    size: int
    lines: tuple[str, ...] | None  # None: not text


@dataclass(frozen=True)
class NextToMark:
    """Where to go on marking."""

    submission_id: str | None  # None: nothing is left
    left: int


@dataclass(frozen=True)
class TimelineEvent:
    """Something that happened to one of the submission's runs."""

    at: datetime
    run_id: str
    kind: EventKind
    data: dict[str, Any]


def find(session: Session, wanted: Filter, number: int = 1) -> Page:
    """Return a page of a term's submissions, each with the run that speaks for it."""
    query = _query(wanted)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    last = max(1, -(-total // PAGE_SIZE))
    number = min(max(1, number), last)
    ids = session.scalars(
        query.order_by(Submission.received_at.desc(), Submission.id)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(tuple(_load(session, ids)), number, total)


def ids_of(session: Session, wanted: Filter) -> list[str]:
    """Return the ids of every submission that a filter finds, the oldest first."""
    query = _query(wanted).order_by(Submission.received_at, Submission.id)
    return list(session.scalars(query))


def files_of(catalogue: Catalogue, store: Store, submission: Submission) -> list[CodeFile]:
    """Return the files of a submission as intake takes them; none if its lab or bytes are gone."""
    try:
        lab = catalogue.get(submission.offering.assignment_slug or "")
        data = store.get(submission.upload_sha256)
        accepted = receive_bytes(submission.filename, data, lab.assignment)
    except (UnknownAssignment, ManifestError, UnknownDigest, Rejected):
        return []
    return [CodeFile(file.path, len(file.content), _lines(file.content)) for file in accepted.files]


def next_to_mark(session: Session, catalogue: Catalogue, submission: Submission) -> NextToMark:
    """Return whose work in the same lab is to be marked after this one.

    In an order of chance that stays the same: who comes last in the alphabet is not always marked
    by tired eyes, and several people who mark meet one another late.
    """
    waiting = {
        one.enrolment_id: one.submission_id
        for one in to_mark(session, catalogue, submission.offering)
    }
    lots = {one: _lot(submission.offering_id, one) for one in {*waiting, submission.enrolment_id}}
    mine = lots[submission.enrolment_id]
    others = sorted(
        (lots[enrolment] < mine, lots[enrolment], found)
        for enrolment, found in waiting.items()
        if enrolment != submission.enrolment_id
    )
    return NextToMark(others[0][2] if others else None, len(others))


def report_of(files: Sequence[CodeFile]) -> Markup | None:
    """Return the report among a submission's files as it reads; None without one."""
    for file in files:
        if file.path.lower().endswith("report.md") and file.lines is not None:
            return render_markdown("\n".join(file.lines), with_images=False)
    return None


def _lot(offering_id: int, enrolment_id: int) -> str:
    return hashlib.sha256(f"{offering_id} {enrolment_id}".encode()).hexdigest()


def timeline(session: Session, submission_id: str) -> list[TimelineEvent]:
    """Return what happened to a submission's runs, progress of single tests left out."""
    query = (
        select(Event)
        .join(GradingRun, Event.run_id == GradingRun.id)
        .where(GradingRun.submission_id == submission_id, Event.kind != EventKind.PROGRESS)
        .order_by(Event.id)
    )
    return [
        TimelineEvent(event.at, event.run_id, event.kind, json.loads(event.data))
        for event in session.scalars(query)
    ]


def runs_of(session: Session, submission_id: str) -> list[tuple[GradingRun, float | None]]:
    """Return every run of a submission with its score, the newest first."""
    query = (
        select(GradingRun, Result.score)
        .outerjoin(Result, Result.run_id == GradingRun.id)
        .where(GradingRun.submission_id == submission_id)
        .order_by(GradingRun.created_at.desc(), GradingRun.id)
    )
    return [(run, score) for run, score in session.execute(query)]


def _query(wanted: Filter) -> Select[str]:
    query = (
        select(Submission.id)
        .join(Offering, Submission.offering_id == Offering.id)
        .join(Enrolment, Submission.enrolment_id == Enrolment.id)
        .join(User, Enrolment.user_id == User.id)
        .where(Offering.term_id == wanted.term_id)
    )
    if wanted.offering_id is not None:
        query = query.where(Offering.id == wanted.offering_id)
    if wanted.student:
        query = query.where(
            or_(
                User.username.icontains(wanted.student, autoescape=True),
                User.display_name.icontains(wanted.student, autoescape=True),
            )
        )
    if wanted.state is not None:
        speaking = (
            select(GradingRun.state)
            .where(GradingRun.submission_id == Submission.id)
            .order_by(*SPEAKS_FIRST)
            .limit(1)
            .correlate(Submission)
            .scalar_subquery()
        )
        query = query.where(speaking == wanted.state)
    return query


def _load(session: Session, ids: Sequence[str]) -> list[Attempt]:
    query = (
        select(Submission)
        .join(Enrolment, Submission.enrolment_id == Enrolment.id)
        .join(User, Enrolment.user_id == User.id)
        .where(Submission.id.in_(ids))
        .options(
            contains_eager(Submission.enrolment).contains_eager(Enrolment.user),
            joinedload(Submission.offering),
        )
        .order_by(Submission.received_at.desc(), Submission.id)
    )
    return attempts_from(session, session.scalars(query).all())


def _lines(content: bytes) -> tuple[str, ...] | None:
    if b"\x00" in content:
        return None
    return tuple(clean(content.decode("utf-8", "replace"), SHOWN_CHARACTERS).splitlines())
