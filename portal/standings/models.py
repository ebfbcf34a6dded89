"""Marks given by a person. Rows are only ever added: of each item, the last one counts."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.db import Base, ExactDecimal, UtcDateTime
from portal.platform.insert_only import insert_only
from portal.submissions.models import Submission


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


insert_only(ManualMark)
