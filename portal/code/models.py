"""Comments on lines of submitted files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.people.models import User
from portal.platform.db import Base, UtcDateTime
from portal.submissions.models import Submission


class LineComment(Base):
    """What somebody of the staff wrote on a line of a submission's file.

    Bytes of a submission never change, so path and line go on naming the same place. Of a notebook
    it is a line of the file that its cells were put into.
    """

    __tablename__ = "line_comment"
    __table_args__ = (CheckConstraint("line >= 1", name="line_counts_from_one"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey(Submission.id), index=True)
    path: Mapped[str] = mapped_column(String(400))
    line: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    author: Mapped[User] = relationship(lazy="joined")
