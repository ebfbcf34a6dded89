"""What staff's pages of a competition say: its teams, and the entries of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.competition.entries import counts_by_team, entries_of, public_scores, struck_in
from portal.competition.finish import has_ended, result_of
from portal.competition.models import CompetitionEntry, CompetitionResult
from portal.competition.opening import Competition
from portal.courses.models import Enrolment
from portal.courses.policy import CompetitionPhase, Conditions, competition_phase, freezes_at
from portal.courses.service import students
from portal.grants.service import conditions_for
from portal.teams.models import Team
from portal.teams.service import TeamRoll, roll_of


@dataclass(frozen=True)
class StaffTeam:
    """A team as its staff see it: the number is that of the board."""

    team: Team
    members: tuple[Enrolment, ...]
    entries: int
    number: float | None
    struck: str | None  # why it is disqualified; None if it is not


@dataclass(frozen=True)
class StaffPage:
    """A competition as its staff see it."""

    competition: Competition
    conditions: Conditions
    phase: CompetitionPhase
    result: CompetitionResult | None
    has_ended: bool
    teams: tuple[StaffTeam, ...]  # by name
    students: tuple[Enrolment, ...]
    alone: tuple[Enrolment, ...]  # who has done nothing yet


@dataclass(frozen=True)
class TeamEntries:
    """A team's entries, the newest first, and why some are disqualified."""

    team: Team
    members: tuple[Enrolment, ...]
    entries: tuple[CompetitionEntry, ...]
    struck: dict[str, str]  # by entry


def staff_page(session: Session, competition: Competition, *, now: datetime) -> StaffPage:
    """Gather the page of all teams; of entries it reads what it shows, counts and numbers."""
    offering = competition.offering
    roll = roll_of(session, offering.id)
    result = result_of(session, offering.id)
    conditions = conditions_for(session, None, offering)
    everybody = tuple(students(session, offering.term_id))
    return StaffPage(
        competition=competition,
        conditions=conditions,
        phase=competition_phase(offering, conditions, now, is_final=result is not None),
        result=result,
        has_ended=has_ended(session, competition, now),
        teams=_teams(session, competition, roll),
        students=everybody,
        alone=tuple(one for one in everybody if one.id not in roll.place_of),
    )


def team_entries(session: Session, team: Team) -> TeamEntries:
    """Gather the page of one team's entries."""
    roll = roll_of(session, team.offering_id)
    return TeamEntries(
        team=team,
        members=roll.members[team.id],
        entries=tuple(reversed(entries_of(session, roll, team))),
        struck=struck_in(session, roll).entries,
    )


def _teams(session: Session, competition: Competition, roll: TeamRoll) -> tuple[StaffTeam, ...]:
    offering = competition.offering
    struck = struck_in(session, roll)
    counts = counts_by_team(session, roll, offering.id)
    scores = public_scores(session, roll, struck, offering.id, before=freezes_at(offering))
    by_name = sorted(roll.teams.values(), key=lambda one: one.name.casefold())
    return tuple(
        StaffTeam(
            team=team,
            members=roll.members[team.id],
            entries=counts.get(team.id, 0),
            number=competition.ladder.shown(scores.get(team.id, [])),
            struck=struck.teams.get(team.id),
        )
        for team in by_name
        if team.merged_into_id is None
    )
