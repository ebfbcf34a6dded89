"""Reading one submission whole, and which one to mark next."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import Catalogue
from portal.code.files import CodeFile
from portal.platform.markdown import render_markdown
from portal.runs.models import Event, EventKind, GradingRun, Result
from portal.runs.speaking import MAY_SPEAK
from portal.standings.to_mark import lot, to_mark
from portal.submissions.models import Submission


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


def next_to_mark(
    session: Session, catalogue: Catalogue, submission: Submission, reader_id: int
) -> NextToMark:
    """Return whose work in the same lab is to be marked after this one, in the order of lots."""
    waiting = to_mark(session, catalogue, submission.offering, reader_id)
    mine = lot(submission.offering_id, submission.enrolment_id)
    others = [one for one in waiting if one.enrolment_id != submission.enrolment_id]
    later = [one for one in others if lot(submission.offering_id, one.enrolment_id) > mine]
    following = (later or others)[:1]
    return NextToMark(following[0].submission_id if following else None, len(others))


def report_of(files: Sequence[CodeFile]) -> Markup | None:
    """Return the report among a submission's files as it reads; None without one."""
    for file in files:
        if file.path.lower().endswith("report.md") and file.lines is not None:
            return render_markdown("\n".join(file.lines), with_images=False)
    return None


def timeline(session: Session, submission_id: str) -> list[TimelineEvent]:
    """Return what happened to a submission's runs, progress of single tests left out."""
    query = (
        select(Event)
        .join(GradingRun, Event.run_id == GradingRun.id)
        .where(
            GradingRun.submission_id == submission_id, MAY_SPEAK, Event.kind != EventKind.PROGRESS
        )
        .order_by(Event.id)
    )
    return [
        TimelineEvent(event.at, event.run_id, event.kind, json.loads(event.data))
        for event in session.scalars(query)
    ]


def runs_of(session: Session, submission_id: str) -> list[tuple[GradingRun, float | None]]:
    """Return every run of a submission that may speak, with its score, the newest first."""
    query = (
        select(GradingRun, Result.score)
        .outerjoin(Result, Result.run_id == GradingRun.id)
        .where(GradingRun.submission_id == submission_id, MAY_SPEAK)
        .order_by(GradingRun.created_at.desc(), GradingRun.id)
    )
    return [(run, score) for run, score in session.execute(query)]


def run_to_watch(runs: Sequence[tuple[GradingRun, float | None]]) -> GradingRun:
    """Return the run of a submission that waits or goes on, else the first, its newest."""
    return next((run for run, _ in runs if run.state.is_open), runs[0][0])
