"""One upload that passed intake, and who had a part in it. Rows are written once, never updated.

The bytes live in the content-addressed store; the row points to their digest. How the upload
was graded is the business of `portal.runs`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.platform.db import Base, UtcDateTime
from portal.platform.insert_only import insert_only

if TYPE_CHECKING:
    from portal.courses.models import Enrolment, Offering
    from portal.teams.models import Team


class Submission(Base):
    """An accepted upload for one offering, of a student or of all who were in their team."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("enrolment_id", "offering_id", "client_key"),
        CheckConstraint("attempt >= 1", name="attempt_positive"),
        CheckConstraint("size >= 0", name="size_not_negative"),
        Index("ix_submission_offering_received", "offering_id", "received_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)  # uuid4: not to be guessed
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"), index=True)  # who sent it
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))  # None: sent by one alone
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    client_key: Mapped[str] = mapped_column(String(64))  # made by the form: a retry bears the same
    upload_sha256: Mapped[str] = mapped_column(String(64))  # of the bytes as stored
    filename: Mapped[str] = mapped_column(String(255))  # for people; cleaned
    size: Mapped[int]  # bytes as stored
    content_digest: Mapped[str] = mapped_column(String(64))  # of the accepted files
    intake: Mapped[str] = mapped_column(Text)  # JSON of `portal.submissions.arrival.Arrival`
    attempt: Mapped[int]  # 1, 2, ... in the offering; of none of its members an earlier one
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()
    team: Mapped[Team | None] = relationship()
    members: Mapped[list[SubmissionMember]] = relationship(order_by="SubmissionMember.enrolment_id")

    def __init__(self, **columns: Any) -> None:
        """Make one that its sender alone has a part in, unless it says who else has."""
        super().__init__(**columns)
        if not self.members:
            self.members = [SubmissionMember(enrolment_id=self.enrolment_id)]

    @property
    def people(self) -> list[Enrolment]:
        """Everybody who had a part in it, its sender first."""
        others = (one.enrolment for one in self.members if one.enrolment_id != self.enrolment_id)
        return [self.enrolment, *others]


class SubmissionMember(Base):
    """Who had a part in a submission: its sender, and whoever was in the team when it was sent.

    Whose attempt it is, who sees it, whom it gives points and against whom it counts all follow
    from these rows; of a student alone there is one like any other.
    """

    __tablename__ = "submission_member"

    submission_id: Mapped[str] = mapped_column(ForeignKey(Submission.id), primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(
        ForeignKey("enrolment.id"), primary_key=True, index=True
    )

    enrolment: Mapped[Enrolment] = relationship()


class LateUpload(Base):
    """An upload that came after its lab had closed. Staff may make it a submission."""

    __tablename__ = "late_upload"
    __table_args__ = (Index("ix_late_upload_of", "offering_id", "enrolment_id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey("enrolment.id"))
    offering_id: Mapped[int] = mapped_column(ForeignKey("offering.id"))
    upload_sha256: Mapped[str] = mapped_column(String(64))
    filename: Mapped[str] = mapped_column(String(255))
    size: Mapped[int]
    content_digest: Mapped[str] = mapped_column(String(64))
    intake: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)

    enrolment: Mapped[Enrolment] = relationship()
    offering: Mapped[Offering] = relationship()

    @property
    def client_key(self) -> str:
        """Key of the submission that it becomes: there is one, however often it is accepted."""
        return f"late-{self.id}"


insert_only(Submission)
insert_only(SubmissionMember)
insert_only(LateUpload)
