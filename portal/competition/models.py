"""What was sent to a competition, what teams and staff decided, and each result. Only ever added.

The bytes lie in the store; rows point to their digests. Re-runs alone have a state, as gradings do.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, Float, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from grader.api import Verdict
from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.db import Base, ExactDecimal, UtcDateTime, enum_type
from portal.platform.insert_only import insert_only
from portal.runs.delivered import Delivered
from portal.teams.models import Team


class CompetitionEntry(Base):
    """A file of predictions that was taken, and what it scored."""

    __tablename__ = "competition_entry"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "offering_id", "client_key", "sha256"),
        UniqueConstraint("offering_id", "number"),
        CheckConstraint("size >= 0", name="size_not_negative"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # uuid4: not to be guessed
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    number: Mapped[int]  # 1, 2, ... within the offering, in the order in which they were taken
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id), index=True)  # as it was then
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))  # who sent it
    client_key: Mapped[str] = mapped_column(String(64))  # made by the form: a retry bears the same
    sha256: Mapped[str] = mapped_column(String(64))  # of the predictions
    filename: Mapped[str] = mapped_column(String(255))  # for people; cleaned
    size: Mapped[int]  # bytes
    source_sha256: Mapped[str | None] = mapped_column(String(64))  # of the code sent with it
    source_size: Mapped[int | None]
    public_score: Mapped[float] = mapped_column(Float)
    private_score: Mapped[float] = mapped_column(Float)
    judge_digest: Mapped[str] = mapped_column(String(64))  # of labels, rules and split
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    team: Mapped[Team] = relationship()
    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()


class EntryMember(Base):
    """Who was in the team when it sent an entry: it counts against them, wherever they go."""

    __tablename__ = "competition_entry_member"

    entry_id: Mapped[str] = mapped_column(ForeignKey(CompetitionEntry.id), primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id), primary_key=True)


class FinalsChoice(Base):
    """Which entries a team wants to be ranked by. The last one holds; none at all: by default."""

    __tablename__ = "competition_finals"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id), index=True)
    first_id: Mapped[str | None] = mapped_column(ForeignKey(CompetitionEntry.id))
    second_id: Mapped[str | None] = mapped_column(ForeignKey(CompetitionEntry.id))
    author_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class Ruling(Base):
    """Staff disqualify an entry or a whole team, or take that back. The last one holds."""

    __tablename__ = "competition_ruling"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id), index=True)
    entry_id: Mapped[str | None] = mapped_column(ForeignKey(CompetitionEntry.id))  # None: the team
    disqualified: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class CompetitionResult(Base):
    """A result that staff wrote down. The last one holds."""

    __tablename__ = "competition_result"

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id), index=True)
    reason: Mapped[str] = mapped_column(Text)  # why it was written anew; "" for the first
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    places: Mapped[list[ResultPlace]] = relationship(order_by="ResultPlace.id")


class ResultPlace(Base):
    """A team's place in a result."""

    __tablename__ = "competition_place"
    __table_args__ = (CheckConstraint("place >= 1", name="place_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey(CompetitionResult.id), index=True)
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id))
    entry_id: Mapped[str] = mapped_column(ForeignKey(CompetitionEntry.id))  # the final that counted
    name: Mapped[str] = mapped_column(String(40))  # of the team, as it was
    score: Mapped[float] = mapped_column(Float)  # on the private rows
    place: Mapped[int]
    tied: Mapped[bool]
    points: Mapped[Decimal] = mapped_column(ExactDecimal)  # of the offering


class RerunState(StrEnum):
    """How a re-run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"  # before anybody took it: it says nothing

    @property
    def is_open(self) -> bool:
        """Tell whether it has not ended."""
        return self in OPEN_RERUNS


OPEN_RERUNS = (RerunState.QUEUED, RerunState.RUNNING)


class CompetitionRerun(Delivered, Base):
    """An entry's source, to be run or run on a fresh set, and what came of it.

        QUEUED  -- claim: fence + 1 -->            RUNNING
        RUNNING -- verdict under the same fence --> DONE
        RUNNING -- worker lost, claimed anew -->   RUNNING with a higher fence
        QUEUED  -- staff -->                       CANCELLED

    Of a competition's open ones the engine owes the first alone: they go one after another, so that
    uploads of a class are graded beside them. What is done is not changed; another try is a row.
    """

    __tablename__ = "competition_rerun"
    __table_args__ = (
        UniqueConstraint("offering_id", "number"),
        CheckConstraint("fence >= 0", name="fence_not_negative"),
        CheckConstraint("(state = 'done') = (verdict IS NOT NULL)", name="done_has_a_verdict"),
    )

    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    number: Mapped[int]  # 1, 2, ... within the offering: the order in which they are run
    batch: Mapped[int]  # which press of the button queued it
    entry_id: Mapped[str] = mapped_column(ForeignKey(CompetitionEntry.id), index=True)
    state: Mapped[RerunState] = mapped_column(enum_type(RerunState))
    verdict: Mapped[Verdict | None] = mapped_column(enum_type(Verdict))
    fresh: Mapped[str] = mapped_column(String(64))  # names the fresh set that it is made on
    claim: Mapped[float | None] = mapped_column(Float)  # the entry's score, on all rows
    again: Mapped[float | None] = mapped_column(Float)  # its source's, on fresh rows
    sds: Mapped[float | None] = mapped_column(Float)  # by which the second is below the first
    tries: Mapped[int] = mapped_column(default=0)
    cpu_seconds: Mapped[float] = mapped_column(Float, default=0.0)
    detail: Mapped[str] = mapped_column(Text, default="")  # for staff; cleaned, but not trusted
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))  # who queued it
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    entry: Mapped[CompetitionEntry] = relationship()


for model in (EntryMember, FinalsChoice, Ruling, CompetitionResult, ResultPlace):
    insert_only(model)
