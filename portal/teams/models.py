"""Teams of an offering. Who is in which follows from moves, of which each person's last holds.

A person without a move is a team of one that has no row yet.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.models import Enrolment, Offering
from portal.people.models import User
from portal.platform.db import Base, UtcDateTime, enum_type
from portal.platform.insert_only import insert_only


class InvitationAnswer(StrEnum):
    """What became of an invitation."""

    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Team(Base):
    """People who compete or hand in together, under a name that says nothing of who they are."""

    __tablename__ = "team"
    __table_args__ = (UniqueConstraint("offering_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    name: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # The team that its last member went to: its entries are that one's from then on.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("team.id"))

    offering: Mapped[Offering] = relationship()


class TeamMove(Base):
    """A person goes to a team, from wherever they were before."""

    __tablename__ = "team_move"
    __table_args__ = (Index("ix_team_move_of", "enrolment_id", "team_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id), index=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    reason: Mapped[str] = mapped_column(Text, default="")  # of staff's; "" if students did it
    at: Mapped[datetime] = mapped_column(UtcDateTime)

    team: Mapped[Team] = relationship()
    enrolment: Mapped[Enrolment] = relationship()


class TeamInvitation(Base):
    """A person is asked into a team; it stands until it is answered or withdrawn."""

    __tablename__ = "team_invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int] = mapped_column(ForeignKey(Team.id), index=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id), index=True)  # who is asked
    author_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer: Mapped[InvitationAnswer | None] = mapped_column(enum_type(InvitationAnswer))
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    team: Mapped[Team] = relationship()
    enrolment: Mapped[Enrolment] = relationship(foreign_keys=[enrolment_id])
    author: Mapped[Enrolment] = relationship(foreign_keys=[author_id])


insert_only(TeamMove)
