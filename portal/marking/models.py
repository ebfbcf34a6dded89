"""Comments that staff keep to use again, and regrades that they try first."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.models import Offering, Term
from portal.people.models import User
from portal.platform.db import Base, UtcDateTime, enum_type
from portal.platform.insert_only import insert_only
from portal.runs.models import GradingRun


class SavedComment(Base):
    """A comment on one item of a lab, kept for everybody who marks it. Marks hold their own."""

    __tablename__ = "saved_comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(
        ForeignKey(Offering.id, ondelete="CASCADE"), index=True
    )
    item_id: Mapped[str] = mapped_column(String(80))
    text: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    author: Mapped[User] = relationship()


class TrialState(StrEnum):
    """What has become of a trial."""

    OPEN = "open"
    APPLIED = "applied"  # some or all of its runs count
    DISCARDED = "discarded"


class RegradeTrial(Base):
    """Submissions graded anew to see what would change, before anything does."""

    __tablename__ = "regrade_trial"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey(Term.id), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[TrialState] = mapped_column(enum_type(TrialState), default=TrialState.OPEN)
    reason: Mapped[str] = mapped_column(Text, default="")  # why its runs count
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey(User.id))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    term: Mapped[Term] = relationship()
    author: Mapped[User] = relationship(foreign_keys=author_id)
    ended_by: Mapped[User | None] = relationship(foreign_keys=ended_by_id)


class TrialRun(Base):
    """A run of a trial, and the one that spoke for its submission when the trial began."""

    __tablename__ = "trial_run"

    run_id: Mapped[str] = mapped_column(ForeignKey(GradingRun.id), primary_key=True)
    trial_id: Mapped[str] = mapped_column(ForeignKey(RegradeTrial.id), index=True)
    before_id: Mapped[str] = mapped_column(ForeignKey(GradingRun.id))


insert_only(TrialRun)
