"""Grants. Rows are only ever added: of each student and offering, the last one holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.db import Base, UtcDateTime
from portal.platform.insert_only import insert_only

MOST_ATTEMPTS = 1000


class Grant(Base):
    """What holds for a student in an offering from then on, and why.

    It stands in place of every earlier one; one of nothing takes them back.
    """

    __tablename__ = "extension_grant"  # GRANT is a word of SQL
    __table_args__ = (
        CheckConstraint(f"attempts BETWEEN 0 AND {MOST_ATTEMPTS}", name="attempts_in_range"),
        Index("ix_extension_grant_of", "offering_id", "enrolment_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id), index=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: due as for everybody
    attempts: Mapped[int]  # more of them, each day and in all
    reason: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()
    author: Mapped[User] = relationship()

    @property
    def is_empty(self) -> bool:
        """Whether it only takes back what was granted before."""
        return self.due_at is None and not self.attempts


insert_only(Grant)
