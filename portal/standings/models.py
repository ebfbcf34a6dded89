"""Marks given by a person, and where each student stands.

Marks are only ever added: of each item, the last one counts. Standings are worked out from them and
from the other rows that are only ever added (`portal.standings.keeping`); they may be thrown away.
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
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()
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
