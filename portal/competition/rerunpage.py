"""What staff's pages say of re-runs: how they stand, and the figures of those that are done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from grader.api import Verdict
from portal.competition.entries import struck_in
from portal.competition.finish import PlannedPlace, ResultPlan
from portal.competition.fresh import FreshSet, known_fresh
from portal.competition.models import CompetitionEntry, CompetitionRerun, RerunState
from portal.competition.opening import Competition
from portal.competition.reruns import reruns_of, speaking, speaking_reruns
from portal.courses.models import Offering
from portal.platform.config import PortalConfig
from portal.runs.service import LEASE, living
from portal.teams.models import Team
from portal.teams.service import roll_of

_THE_TEAMS = {Verdict.BELOW, Verdict.FAILED, Verdict.REFUSED}  # a fault is not, ever


@dataclass(frozen=True)
class RerunLine:
    """A re-run as staff see it."""

    rerun: CompetitionRerun
    team: Team
    speaks: bool  # for its entry: it is the last one that was not cancelled
    is_elsewhere: bool  # it was made on another set than the one that is installed now
    struck: str | None  # why the entry is disqualified; None if it is not

    @property
    def may_be_queued_again(self) -> bool:
        """Whether its entry may be run once more."""
        return self.speaks and not self.rerun.state.is_open

    @property
    def waits(self) -> bool:
        """Whether it can be cancelled."""
        return self.rerun.state is RerunState.QUEUED

    @property
    def speaks_against(self) -> bool:
        """Whether it gives a reason to talk to the team."""
        return self.rerun.verdict in _THE_TEAMS

    @property
    def reason(self) -> str:
        """Why to disqualify the entry, for the form: stored as all reasons are, in English."""
        return reason_of(self.rerun)


@dataclass(frozen=True)
class RerunTablePage:
    """The re-runs of a competition, and what they are made on."""

    fresh: FreshSet | None
    lines: tuple[RerunLine, ...]  # the last batch first, each in its order
    has_worker: bool  # whether any lives: without one nothing is run
    needs_gpu: bool

    @property
    def done(self) -> int:
        """How many of the last batch are done."""
        return sum(1 for line in self._last if line.rerun.state is RerunState.DONE)

    @property
    def asked(self) -> int:
        """How many re-runs the last batch has."""
        return len(self._last)

    @property
    def cancelled(self) -> int:
        """How many of the last batch were cancelled."""
        return sum(1 for line in self._last if line.rerun.state is RerunState.CANCELLED)

    @property
    def waiting(self) -> int:
        """How many can be cancelled, whatever their batch."""
        return sum(line.waits for line in self.lines)

    @property
    def is_going_on(self) -> bool:
        """Whether something waits or runs."""
        return any(line.rerun.state.is_open for line in self.lines)

    @property
    def _last(self) -> list[RerunLine]:
        return [one for one in self.lines if one.rerun.batch == self.lines[0].rerun.batch]


@dataclass(frozen=True)
class WaitingReruns:
    """Re-runs of a competition of which no worker takes the next one."""

    offering: Offering
    number: int
    since: datetime  # when the next one's turn came


@dataclass(frozen=True)
class Unproved:
    """Of a planned result, who has not been shown to predict honestly. In the plan's order."""

    not_rerun: tuple[PlannedPlace, ...]  # nothing came of it, or a fault of ours
    against: tuple[PlannedPlace, ...]  # below the claim, failed or refused
    speaking: dict[str, CompetitionRerun]  # by entry


def rerun_table(
    session: Session, config: PortalConfig, competition: Competition, *, now: datetime
) -> RerunTablePage:
    """Gather the table of a competition's re-runs."""
    offering_id = competition.offering.id
    roll = roll_of(session, offering_id)
    struck = struck_in(session, roll).entries
    fresh = known_fresh(config, offering_id)
    found = reruns_of(session, offering_id)
    known = speaking(found)
    lines = [
        RerunLine(
            rerun=one,
            team=roll.teams[roll.root(one.entry.team_id)],
            speaks=known[one.entry_id] is one,
            is_elsewhere=fresh is None or one.fresh != fresh.digest,
            struck=struck.get(one.entry_id),
        )
        for one in found
    ]
    lines.sort(key=lambda line: (-line.rerun.batch, line.rerun.number))
    return RerunTablePage(
        fresh=fresh,
        lines=tuple(lines),
        has_worker=bool(living(session, now - LEASE)),
        needs_gpu=competition.lab.assignment.gpu,
    )


def waiting_reruns(
    session: Session, offering: Offering, *, before: datetime
) -> WaitingReruns | None:
    """Return what waits in a competition where the next re-run's turn came before an instant.

    None where one runs: the others wait for it, as they are to.
    """
    found = reruns_of(session, offering.id)
    waiting = [one for one in found if one.state.is_open]
    if not waiting or waiting[0].state is not RerunState.QUEUED:
        return None
    ended = [one.ended_at for one in found if one.state is RerunState.DONE and one.ended_at]
    since = max([waiting[0].created_at, *ended])
    return WaitingReruns(offering, len(waiting), since) if since < before else None


def unproved(session: Session, plan: ResultPlan, offering_id: int) -> Unproved:
    """Tell which finals of a plan were not run again or came out badly."""
    known = speaking_reruns(session, offering_id)

    def verdict(entry: CompetitionEntry) -> Verdict | None:
        return known[entry.id].verdict if entry.id in known else None

    said = [(one, verdict(one.finalist.entry)) for one in plan.places]
    return Unproved(
        not_rerun=_which(said, {None, Verdict.FAULT}),
        against=_which(said, set(_THE_TEAMS)),
        speaking=known,
    )


def _which(
    said: Sequence[tuple[PlannedPlace, Verdict | None]], verdicts: set[Verdict | None]
) -> tuple[PlannedPlace, ...]:
    return tuple(one for one, verdict in said if verdict in verdicts)


def reason_of(rerun: CompetitionRerun) -> str:
    """Say in English what a re-run says against an entry; "" if it says nothing against it."""
    if rerun.verdict is Verdict.REFUSED:
        return "The source that came with it cannot be read, so it could not be run again."
    if rerun.verdict is Verdict.FAILED:
        return "The source that came with it failed when it was run again."
    if rerun.verdict is not Verdict.BELOW:
        return ""
    return (
        f"Run again from source on fresh rows: {rerun.again:.4f} where {rerun.claim:.4f} was "
        f"claimed, {rerun.sds:.1f} standard deviations below with each of {rerun.tries} seeds."
    )
