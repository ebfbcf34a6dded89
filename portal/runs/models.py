"""Grading runs and what they leave behind.

    QUEUED  -- claim: fence + 1 -->            RUNNING
    RUNNING -- result under the same fence --> GRADED
    RUNNING -- worker lost, claimed anew -->   RUNNING with a higher fence
    RUNNING -- our fault, fewer than three --> QUEUED, the third time NEEDS_HUMAN
    QUEUED  -- a newer upload, a cancel -->    SUPERSEDED

These tables are the truth; the engine's own tables only say which ids still have to be delivered.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    CheckConstraint,
    Enum,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.platform.db import Base, UtcDateTime
from portal.platform.insert_only import insert_only
from portal.runs.delivered import Delivered

if TYPE_CHECKING:
    from portal.submissions.models import Submission

FRESH = ""  # reason_key of the run an upload starts; a regrade names its reason


class RunState(StrEnum):
    """How a grading run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    GRADED = "graded"
    NEEDS_HUMAN = "needs_human"  # our fault three times, or workers lost again and again
    SUPERSEDED = "superseded"  # a newer upload took its place before it was graded

    @property
    def is_open(self) -> bool:
        """Tell whether the engine still owes this run a delivery."""
        return self in OPEN_STATES


OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)


def _values(states: type[StrEnum]) -> list[str]:
    return [state.value for state in states]


class GradingRun(Delivered, Base):
    """One grading of one submission by one suite for one reason."""

    __tablename__ = "grading_run"
    __table_args__ = (
        UniqueConstraint("submission_id", "suite_digest", "reason_key"),
        CheckConstraint("fence >= 0", name="fence_not_negative"),
        CheckConstraint("attempts >= 0", name="attempts_not_negative"),
        Index("ix_grading_run_queue", "state", "queue", "priority", "created_at"),
        # Of a submission's runs, which one speaks, and by which suite it was graded.
        Index(
            "ix_grading_run_speaking",
            "submission_id",
            "speaks",
            "state",
            "created_at",
            "id",
            "suite_digest",
        ),
    )

    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"))
    suite_digest: Mapped[str] = mapped_column(String(64))  # of the suite when the run was made
    reason_key: Mapped[str] = mapped_column(String(64), default=FRESH)
    state: Mapped[RunState] = mapped_column(
        Enum(RunState, native_enum=False, length=16, values_callable=_values)
    )
    attempts: Mapped[int] = mapped_column(default=0)  # faults of ours so far
    # False: a trial's, which counts for nothing until somebody lets it (`portal.marking.trials`).
    speaks: Mapped[bool] = mapped_column(default=True)

    submission: Mapped[Submission] = relationship()
    result: Mapped[Result | None] = relationship(back_populates="run", viewonly=True)


_PENDING = text("pending_score > 0")


class Result(Base):
    """The report a run ended with. Inserted once, never changed."""

    __tablename__ = "result"
    __table_args__ = (
        # Scores alone, without the reports of some 100 kB that stand before them in a row.
        Index("ix_result_scores", "run_id", "score", "max_score", "pending_score"),
        # The few of which a test could not be judged.
        Index(
            "ix_result_pending",
            "pending_score",
            "run_id",
            sqlite_where=_PENDING,
            postgresql_where=_PENDING,
        ),
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("grading_run.id"), primary_key=True)
    fence: Mapped[int]  # of the claim that wrote it
    report: Mapped[str] = mapped_column(Text)  # JSON of `grader.report.report.Report`
    score: Mapped[float]
    max_score: Mapped[float]  # what tests can earn
    pending_score: Mapped[float] = mapped_column(  # what tests without a judgement may still earn
        default=0.0, server_default="0"
    )
    environment: Mapped[str] = mapped_column(Text)  # JSON of `grader.report.Environment`, or ""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)

    run: Mapped[GradingRun] = relationship(back_populates="result")


class RunTest(Base):
    """How one test of a run ended. Written with the result, from its report."""

    __tablename__ = "test_result"

    run_id: Mapped[str] = mapped_column(ForeignKey("grading_run.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)  # 1, 2, ... as the report has them
    test: Mapped[str] = mapped_column(Text)  # its id in the suite
    title: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(String(80))
    outcome: Mapped[str] = mapped_column(String(16))  # of `grader.report.Outcome`
    score: Mapped[float]
    max_score: Mapped[float]
    cause: Mapped[str] = mapped_column(String(40))  # code of the diagnosis, or ""
    message: Mapped[str] = mapped_column(Text)  # for staff: the same for mistakes that are alike


class EventKind(StrEnum):
    """What happened to a run."""

    QUEUED = "queued"
    STARTED = "started"
    PROGRESS = "progress"  # data: done, total
    FAULT = "fault"  # our fault; it goes back into the queue. data: fault (staff only)
    GRADED = "graded"
    NEEDS_HUMAN = "needs_human"  # data: fault (staff only)
    SUPERSEDED = "superseded"


class Event(Base):
    """Something that happened to a run. Appended only; its id drives the live page."""

    __tablename__ = "event"
    __table_args__ = {"sqlite_autoincrement": True}  # an id is never given twice

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("grading_run.id"), index=True)
    kind: Mapped[EventKind] = mapped_column(
        Enum(EventKind, native_enum=False, length=16, values_callable=_values)
    )
    data: Mapped[str] = mapped_column(Text, default="{}")  # JSON object
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Heartbeat(Base):
    """The last sign of life of a worker. A row that grows old is a worker that was lost."""

    __tablename__ = "heartbeat"

    executor: Mapped[str] = mapped_column(String(128), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    tier: Mapped[int | None]  # its machine's best sandbox, 1 the strongest; None if not known
    minimum_tier: Mapped[int | None]  # the weakest it was told to grade in


insert_only(Result)
insert_only(RunTest)
insert_only(Event)
