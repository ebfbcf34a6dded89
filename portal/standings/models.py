"""Marks given by a person, attempts chosen by one, and where each student stands.

Marks and choices are only ever added: of each item and lab, the last one counts. Standings are
worked out from them and from the other rows that are only ever added (`portal.standings.keeping`);
they may be thrown away.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.db import Base, ExactDecimal, UtcDateTime
from portal.platform.insert_only import insert_only
from portal.submissions.models import Submission

Place = tuple[int, int]  # enrolment id, offering id


class ManualMark(Base):
    """The points a person gave a student for one item of an offering, and why.

    It belongs to the student and not to a submission, so a regrade leaves it alone. Which one its
    author looked at is kept beside it: a later one may hold a newer report.
    """

    __tablename__ = "manual_mark"
    __table_args__ = (
        CheckConstraint("points >= 0", name="points_not_negative"),
        Index("ix_manual_mark_of", "offering_id", "enrolment_id", "item_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id), index=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    item_id: Mapped[str] = mapped_column(String(80))  # of the manifest, or `rubric.WHOLE`
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submission.id"))  # looked at
    points: Mapped[Decimal] = mapped_column(ExactDecimal)  # on the item's own scale
    comment: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")  # why they are not the ticks' sum
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    ticks: Mapped[list[MarkTick]] = relationship(order_by="MarkTick.number")
    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()
    submission: Mapped[Submission | None] = relationship()
    author: Mapped[User] = relationship()


class Opinion(Base):
    """What one of two people gave who mark an item independently; it counts for nothing alone."""

    __tablename__ = "opinion"
    __table_args__ = (
        CheckConstraint("points >= 0", name="points_not_negative"),
        Index("ix_opinion_of", "offering_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    item_id: Mapped[str] = mapped_column(String(80))
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id"))  # looked at
    points: Mapped[Decimal] = mapped_column(ExactDecimal)
    ticked: Mapped[list[int]] = mapped_column(JSON)  # ids of criteria
    comment: Mapped[str] = mapped_column(Text, default="")
    reason: Mapped[str] = mapped_column(Text, default="")  # why they are not the ticks' sum
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The mark by which it is done with; None: it waits for the other one, or to be settled.
    mark_id: Mapped[int | None] = mapped_column(ForeignKey(ManualMark.id))

    author: Mapped[User] = relationship()


class Criterion(Base):
    """One line of the rubric by which people mark an item: what is looked for, and its points.

    It may be reworded; whoever got it reads the new words. Points that change reach the marks as
    new ones (`portal.standings.criteria`). One that is removed stays for the marks of before.
    """

    __tablename__ = "criterion"
    __table_args__ = (Index("ix_criterion_of", "offering_id", "item_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id, ondelete="CASCADE"))
    item_id: Mapped[str] = mapped_column(String(80))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(200))
    points: Mapped[Decimal] = mapped_column(ExactDecimal)  # below zero: taken off
    description: Mapped[str] = mapped_column(Text, default="")
    removed: Mapped[bool] = mapped_column(default=False)


class MarkTick(Base):
    """A criterion that a mark says is met, and what it was worth then."""

    __tablename__ = "mark_tick"

    mark_id: Mapped[int] = mapped_column(ForeignKey(ManualMark.id), primary_key=True)
    criterion_id: Mapped[int] = mapped_column(ForeignKey(Criterion.id), primary_key=True)
    number: Mapped[int]  # its place among the ticks of the mark
    points: Mapped[Decimal] = mapped_column(ExactDecimal)

    criterion: Mapped[Criterion] = relationship(lazy="joined")


class AttemptChoice(Base):
    """Which attempt of a student is to count in an offering, where people choose it."""

    __tablename__ = "attempt_choice"
    __table_args__ = (Index("ix_attempt_choice_of", "enrolment_id", "offering_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    # None: what was chosen before is taken back, and the best counts.
    submission_id: Mapped[str | None] = mapped_column(ForeignKey("submission.id"))
    reason: Mapped[str] = mapped_column(Text)  # of staff; "" where the student chose
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    submission: Mapped[Submission | None] = relationship()
    author: Mapped[User] = relationship()


class StudentStanding(Base):
    """Where a student stands in an offering: what their score is made of.

    There is one where something was handed in or marked. The official points are not in it: they
    follow from it, the rubric and the offering's weight (`scores.ScoreCard`), so that a manifest
    that was mended leaves no wrong figure behind.

    It names rows of other tables without a foreign key, which would lock them: two transactions
    that met there would each wait for the other.
    """

    __tablename__ = "standing"
    __table_args__ = (Index("ix_standing_offering_id", "offering_id"),)

    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id), primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id), primary_key=True)
    attempts: Mapped[int]
    newest_id: Mapped[str | None] = mapped_column(String(36))  # the newest submission
    waiting: Mapped[bool]  # some attempt is in the queue or being graded
    stuck: Mapped[bool]  # some attempt needs a person: our fault
    solved_at: Mapped[int | None]  # number of the first attempt that lost nothing by tests
    # The attempt that counts and the run that speaks for it; None while nothing is graded.
    submission_id: Mapped[str | None] = mapped_column(String(36))
    run_id: Mapped[str | None] = mapped_column(String(36), index=True)
    attempt: Mapped[int | None]
    by_tests: Mapped[Decimal] = mapped_column(ExactDecimal)
    max_by_tests: Mapped[Decimal] = mapped_column(ExactDecimal)
    pending: Mapped[Decimal] = mapped_column(ExactDecimal)  # points of tests nobody could judge
    items: Mapped[dict[str, list[float]]] = mapped_column(JSON)  # id -> by tests, the most
    days_late: Mapped[int]
    days_spent: Mapped[int]  # of the student's late days, on the attempt that counts
    late_factor: Mapped[Decimal] = mapped_column(ExactDecimal)
    marks: Mapped[dict[str, str]] = mapped_column(JSON)  # item -> points by hand

    @property
    def place(self) -> Place:
        """Whose it is, and where."""
        return self.enrolment_id, self.offering_id

    def facts(self) -> dict[str, Any]:
        """Return its columns by name."""
        return {column.key: getattr(self, column.key) for column in self.__table__.columns}


insert_only(ManualMark)
insert_only(MarkTick)
insert_only(AttemptChoice)
