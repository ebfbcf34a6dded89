"""Tables of a course: terms, enrolments, offerings.

An assignment knows its points and files; the *offering* of an assignment in a term knows dates,
attempts, variant and weight.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.courses.policy import LateDays
from portal.people.models import User
from portal.platform.db import Base, ExactDecimal, UtcDateTime, enum_type
from portal.platform.insert_only import insert_only


class Role(StrEnum):
    """What a person is in one term."""

    STUDENT = "student"
    TA = "ta"
    INSTRUCTOR = "instructor"


STAFF = frozenset({Role.TA, Role.INSTRUCTOR})


class OfferingKind(StrEnum):
    """What is offered; only labs and the competition have an assignment."""

    LAB = "lab"
    COMPETITION = "competition"
    FEEDBACK = "feedback"


class AttemptPolicy(StrEnum):
    """Which attempt counts."""

    LAST = "last"
    BEST = "best"
    CHOSEN = "chosen"  # by hand; the best until somebody chooses


class Term(Base):
    """One run of the course."""

    __tablename__ = "term"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(200))
    timezone: Mapped[str] = mapped_column(String(64))  # IANA name; times are shown in it
    late_days: Mapped[int] = mapped_column(default=0)  # of each student, for all labs together
    late_days_a_lab: Mapped[int] = mapped_column(default=0)  # the most that one lab takes
    pledge: Mapped[str] = mapped_column(Text, default="")  # agreed to with each upload; "": none

    offerings: Mapped[list[Offering]] = relationship(
        back_populates="term", order_by="Offering.position"
    )

    @property
    def bank(self) -> LateDays:
        """The late days that it gives."""
        return LateDays(self.late_days, self.late_days_a_lab)


class Enrolment(Base):
    """A person's place in a term."""

    __tablename__ = "enrolment"
    __table_args__ = (UniqueConstraint("term_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey(Term.id))
    user_id: Mapped[int] = mapped_column(ForeignKey(User.id), index=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    student_number: Mapped[str] = mapped_column(String(40), default="")
    active: Mapped[bool] = mapped_column(default=True)  # False: has left, and keeps all they did

    term: Mapped[Term] = relationship()
    user: Mapped[User] = relationship()


class Offering(Base):
    """An assignment, or another scored thing, as one term offers it."""

    __tablename__ = "offering"
    __table_args__ = (
        UniqueConstraint("term_id", "position"),
        CheckConstraint("points >= 0", name="points_not_negative"),
        CheckConstraint("opens_at <= due_at", name="opens_before_due"),
        CheckConstraint("closes_at IS NULL OR due_at <= closes_at", name="due_before_closes"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    term_id: Mapped[int] = mapped_column(ForeignKey(Term.id))
    kind: Mapped[OfferingKind] = mapped_column(enum_type(OfferingKind))
    assignment_slug: Mapped[str | None] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    variant: Mapped[str | None] = mapped_column(String(400))  # names with commas between
    points: Mapped[Decimal] = mapped_column(ExactDecimal)  # weight in the term's 100 points
    position: Mapped[int]
    opens_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closes_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: closes when due
    grace_minutes: Mapped[int] = mapped_column(default=0)  # after the due minute, still in time
    # What an attempt loses for each day that it comes late.
    late_percent: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    attempts_per_day: Mapped[int | None]  # None: no limit
    attempts_total: Mapped[int | None]
    team_size: Mapped[int | None]  # None: a competition's default, alone elsewhere
    teams_lock_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # None: by `policy`
    # Past the day's limit: True grades an upload and shows its score alone, False refuses it.
    score_past_limit: Mapped[bool] = mapped_column(default=False)
    policy: Mapped[AttemptPolicy] = mapped_column(
        enum_type(AttemptPolicy), default=AttemptPolicy.BEST
    )
    published: Mapped[bool] = mapped_column(default=False)  # False: students do not see it
    # False: students see what the tests gave, and not yet the marks given by hand.
    marks_published: Mapped[bool] = mapped_column(default=False)
    anonymous: Mapped[bool] = mapped_column(default=False)  # marked without names until then

    # Two people mark it, and the mean counts if they are no further apart; None: one person does.
    two_marks_within: Mapped[Decimal | None] = mapped_column(ExactDecimal)

    term: Mapped[Term] = relationship(back_populates="offerings")

    @property
    def wants_two_marks(self) -> bool:
        """Whether two people mark each of its items; ranks and feedback have no second opinion."""
        return self.two_marks_within is not None and self.kind is OfferingKind.LAB

    @property
    def hides_names(self) -> bool:
        """Whether staff read pseudonyms where they mark it: a lab's marks not being published."""
        return self.anonymous and not self.marks_published and self.kind is OfferingKind.LAB

    @property
    def is_ranked(self) -> bool:
        """Whether its points are by rank: a competition."""
        return self.kind is OfferingKind.COMPETITION

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants that students work on; none: the assignment's default."""
        return tuple(self.variant.split(",")) if self.variant else ()

    @variants.setter
    def variants(self, names: tuple[str, ...]) -> None:
        self.variant = ",".join(names) or None


class Reveal(Base):
    """An instructor had a student's name told to the instructors, in a lab marked without names."""

    __tablename__ = "reveal"
    __table_args__ = (Index("ix_reveal_of", "offering_id", "enrolment_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    enrolment_id: Mapped[int] = mapped_column(ForeignKey(Enrolment.id))
    offering_id: Mapped[int] = mapped_column(ForeignKey(Offering.id))
    reason: Mapped[str] = mapped_column(Text)
    author_id: Mapped[int] = mapped_column(ForeignKey(User.id))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


insert_only(Reveal)
