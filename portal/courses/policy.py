"""When somebody may hand in, how often, and what is late: the one place that decides it.

Nothing here reads a database or a clock. What an offering says to everybody, what staff granted one
student, and an instant go in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

TEAM_SIZE = 2
FREEZE = timedelta(hours=24)  # before a competition is due, its board stands still
_TEAMS_OPEN = timedelta(days=7)  # after an offering has opened, unless it says otherwise
_DAY = timedelta(days=1)
_ALL = Decimal(1)


class OfferingState(StrEnum):
    """How an offering stands at an instant."""

    NOT_YET = "not yet open"
    OPEN = "open"
    LATE = "late"  # due has passed, uploads are still taken
    CLOSED = "closed"


class Rules(Protocol):
    """What an offering says to everybody."""

    @property
    def opens_at(self) -> datetime:
        """The instant from which uploads are taken."""

    @property
    def due_at(self) -> datetime:
        """The last minute in which an upload is in time."""

    @property
    def closes_at(self) -> datetime | None:
        """The last minute in which an upload is taken; None: the due one, and the grace."""

    @property
    def grace_minutes(self) -> int:
        """For how many minutes after the due one an upload still counts as in time."""

    @property
    def late_percent(self) -> Decimal:
        """What an attempt loses for each day, or part of one, that it comes late."""

    @property
    def attempts_per_day(self) -> int | None:
        """Attempts a day in the course's zone; None: no limit."""

    @property
    def attempts_total(self) -> int | None:
        """Attempts in all; None: no limit."""


class TeamRules(Protocol):
    """What an offering that teams hand in together says about them."""

    @property
    def opens_at(self) -> datetime:
        """The instant from which uploads are taken."""

    @property
    def due_at(self) -> datetime:
        """The last minute in which an upload is in time."""

    @property
    def is_ranked(self) -> bool:
        """Whether teams are ranked by what they sent until then: a competition."""

    @property
    def teams_lock_at(self) -> datetime | None:
        """The last minute in which students change their teams; None: by default."""


@dataclass(frozen=True)
class Granted:
    """What staff gave one student beyond the rules."""

    due_at: datetime | None = None  # the last minute for this student, if it is later than the due
    attempts: int = 0  # more of them, each day and in all


NOTHING = Granted()


@dataclass(frozen=True)
class LateDays:
    """Late days that a term gives each student, to spend in whole days on its labs."""

    in_all: int = 0
    a_lab: int = 0  # the most that one lab takes

    def available(self, spent: int) -> int:
        """Return how many one more lab may take, when others have spent some."""
        return max(0, min(self.a_lab, self.in_all - spent))


@dataclass(frozen=True)
class Conditions:
    """What holds for one student in one offering."""

    opens_at: datetime
    due_at: datetime
    closes_at: datetime
    grace: timedelta
    late_percent: Decimal
    attempts_per_day: int | None
    attempts_total: int | None
    extended: bool  # due later than for the others

    @property
    def ends_at(self) -> datetime:
        """The first instant at which an upload is late."""
        return _later(_end_of_minute(self.due_at), self.grace)

    def is_late(self, instant: datetime) -> bool:
        """Tell whether an upload at an instant comes after the due minute and the grace."""
        return instant >= self.ends_at

    def days_late(self, instant: datetime) -> int:
        """Return how many days late an upload comes: a day begun is a day, in time is none.

        Days begin with the due minute's end. The grace forgives whoever is within it; it does not
        push the days of the others back.
        """
        if not self.is_late(instant):
            return 0
        return (instant - _end_of_minute(self.due_at)) // _DAY + 1

    def late_factor(self, instant: datetime, forgiven: int = 0) -> Decimal:
        """Return which share of its points an upload at an instant keeps, from 0 to 1.

        `forgiven` are late days that are spent on it.
        """
        charged = max(0, self.days_late(instant) - forgiven)
        return max(Decimal(0), _ALL - charged * self.late_percent / 100)

    def late_days_to_spend(self, instant: datetime, available: int) -> int:
        """Return how many of the late days at hand an upload at an instant takes.

        As many as there are days to forgive; none where that would not raise what it keeps.
        """
        most = min(available, self.days_late(instant))
        helps = self.late_factor(instant, most) > self.late_factor(instant)
        return most if helps else 0

    def is_closed(self, instant: datetime) -> bool:
        """Tell whether an upload at an instant comes too late to be taken."""
        return instant >= _end_of_minute(self.closes_at)

    def state(self, instant: datetime) -> OfferingState:
        """Return how the offering stands for this student. Due at 23:59 is what is before 24:00."""
        if instant < self.opens_at:
            return OfferingState.NOT_YET
        if self.is_closed(instant):
            return OfferingState.CLOSED
        return OfferingState.LATE if self.is_late(instant) else OfferingState.OPEN

    def attempts_left(self, used_today: int, used_total: int) -> int | None:
        """Return how many attempts remain; None: no limit."""
        bounds = []
        if self.attempts_per_day is not None:
            bounds.append(self.attempts_per_day - used_today)
        if self.attempts_total is not None:
            bounds.append(self.attempts_total - used_total)
        return max(0, min(bounds)) if bounds else None

    def could_have_used(self, used_today: int, instant: datetime, zone: ZoneInfo) -> int | None:
        """Return how many attempts one party can have used by an instant; None: no limit.

        `used_today` are those of the day: what is left of it could still be used, and counts for
        nothing before. Two parties that together used more would gain attempts by becoming one.
        """
        bounds = []
        if self.attempts_per_day is not None:
            first, today = (one.astimezone(zone).date() for one in (self.opens_at, instant))
            before = self.attempts_per_day * max(0, (today - first).days)
            bounds.append(before + min(used_today, self.attempts_per_day))
        if self.attempts_total is not None:
            bounds.append(self.attempts_total)
        return min(bounds, default=None)


class CompetitionPhase(StrEnum):
    """How a competition stands at an instant."""

    NOT_YET = "not yet open"
    OPEN = "open"
    FROZEN = "frozen"  # entries are taken, and the board stands still
    ENDED = "ended"  # until staff write down the result
    FINAL = "final"


def competition_phase(
    rules: Rules, own: Conditions, now: datetime, *, is_final: bool
) -> CompetitionPhase:
    """Return how a competition stands for a team under its conditions.

    The board freezes for everybody at the same instant, whatever one team was granted.
    """
    if now < own.opens_at:
        return CompetitionPhase.NOT_YET
    if is_final:
        return CompetitionPhase.FINAL
    if now >= own.ends_at:
        return CompetitionPhase.ENDED
    return CompetitionPhase.FROZEN if now >= freezes_at(rules) else CompetitionPhase.OPEN


def freezes_at(rules: Rules) -> datetime:
    """Return the instant from which a competition's board stands still."""
    return rules.due_at - FREEZE


def teams_lock_at(rules: TeamRules) -> datetime:
    """Return the first instant at which students no longer change their teams.

    A lock names its last minute, as a due date does. By default it is a week after the opening, or
    the due minute if that comes first. Ranks are of the teams as they were at the end: those of a
    competition never change after it.
    """
    end = _end_of_minute(rules.due_at)
    if rules.teams_lock_at is None:
        return min(rules.opens_at + _TEAMS_OPEN, end)
    lock = _end_of_minute(rules.teams_lock_at)
    return min(lock, end) if rules.is_ranked else lock


def day_of(instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the instants at which the day of `instant` begins and ends in a zone."""
    today = instant.astimezone(zone).date()
    midnight, next_midnight = (
        datetime.combine(day, time(), zone).astimezone(UTC) for day in (today, today + _DAY)
    )
    return midnight, next_midnight


def conditions(rules: Rules, granted: Granted = NOTHING) -> Conditions:
    """Return what holds for a student: the rules, and what was granted where it is more.

    An extension takes uploads until the new due minute and its grace, or until the offering closes
    if that is later; it never makes anything earlier.
    """
    due_at = max(rules.due_at, granted.due_at or rules.due_at)
    grace = timedelta(minutes=rules.grace_minutes)
    return Conditions(
        opens_at=rules.opens_at,
        due_at=due_at,
        closes_at=max(rules.closes_at or rules.due_at, _later(due_at, grace)),
        grace=grace,
        late_percent=rules.late_percent,
        attempts_per_day=_more(rules.attempts_per_day, granted.attempts),
        attempts_total=_more(rules.attempts_total, granted.attempts),
        extended=due_at > rules.due_at,
    )


def _more(limit: int | None, attempts: int) -> int | None:
    return None if limit is None else limit + attempts


def _end_of_minute(instant: datetime) -> datetime:
    """Return when the minute of an instant is over: people read 23:59 as all of that minute."""
    return _later(instant.replace(second=0, microsecond=0), timedelta(minutes=1))


def _later(instant: datetime, by: timedelta) -> datetime:
    """Return an instant so much later, the last one of all where the calendar ends before it."""
    last = datetime.max.replace(tzinfo=UTC)
    return instant + by if last - instant > by else last
