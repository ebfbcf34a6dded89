"""All that the competition's page says to one person; of scores, what the board says."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from portal.competition.board import BoardRow, BoardStep, BoardTeam, public_board, steps
from portal.competition.entries import (
    EntryAllowance,
    Struck,
    allowance_of,
    check_allowance,
    entries_of,
    public_scores,
    struck_in,
)
from portal.competition.finals import Finals, choices_in, finals_of
from portal.competition.finish import result_of
from portal.competition.models import CompetitionEntry, CompetitionResult
from portal.competition.opening import Competition
from portal.courses.models import Enrolment
from portal.courses.policy import (
    CompetitionPhase,
    Conditions,
    competition_phase,
    freezes_at,
    teams_lock_at,
)
from portal.grants.service import conditions_for
from portal.platform.errors import Invalid
from portal.teams.models import Team, TeamInvitation
from portal.teams.service import TeamRoll, invitations_by, invitations_of, roll_of, size_of


@dataclass(frozen=True)
class EntryLine:
    """One of a team's own entries as its page lists it."""

    entry: CompetitionEntry
    number: int  # 1, 2, ... in the order they came
    step: BoardStep | None  # None: it is disqualified
    is_final: bool


@dataclass(frozen=True)
class OwnSide:
    """The competition as a student's own team has it."""

    team: Team | None  # None: alone, and nothing has been written down yet
    members: tuple[Enrolment, ...]
    history: tuple[BoardStep, ...]  # of the entries that count, the oldest first
    entries: tuple[CompetitionEntry, ...]  # all of them, those that were disqualified too
    finals: Finals
    allowance: EntryAllowance
    refusal: str  # why no entry can be made now; "" if one can
    invited: tuple[TeamInvitation, ...]  # by others
    inviting: tuple[TeamInvitation, ...]  # by this team
    struck: str | None  # why the team is disqualified; None if it is not

    @property
    def lines(self) -> list[EntryLine]:
        """The team's entries, the newest first."""
        steps = {step.entry.id: step for step in self.history}
        finals = {entry.id for entry in self.finals.entries}
        return [
            EntryLine(entry, number, steps.get(entry.id), entry.id in finals)
            for number, entry in reversed(list(enumerate(self.entries, 1)))
        ]


@dataclass(frozen=True)
class CompetitionPage:
    """The page of one person."""

    competition: Competition
    conditions: Conditions
    phase: CompetitionPhase
    freezes_at: datetime
    locks_at: datetime
    team_size: int
    board: tuple[BoardRow, ...]  # empty once there is a result, which stands in its place
    result: CompetitionResult | None
    struck: Struck
    own: OwnSide | None  # None: staff, who take no part
    client_key: str
    now: datetime

    @property
    def teams_open(self) -> bool:
        """Whether students may change their teams now."""
        return self.conditions.opens_at <= self.now < self.locks_at


def page_of(
    session: Session,
    competition: Competition,
    enrolment: Enrolment | None,
    *,
    is_staff: bool,
    now: datetime,
) -> CompetitionPage:
    """Gather the page of a person at an instant."""
    offering = competition.offering
    roll = roll_of(session, offering.id)
    struck = struck_in(session, roll)
    result = result_of(session, offering.id)
    student = None if is_staff else enrolment
    own = None
    conditions = conditions_for(session, None, offering)
    if student is not None:
        own = _own_side(session, competition, roll, struck, student, now=now)
        conditions = own.allowance.conditions
    return CompetitionPage(
        competition=competition,
        conditions=conditions,
        phase=competition_phase(offering, conditions, now, is_final=result is not None),
        freezes_at=freezes_at(offering),
        locks_at=teams_lock_at(offering),
        team_size=size_of(offering),
        board=() if result else _board(session, competition, roll, struck, own),
        result=result,
        struck=struck,
        own=own,
        client_key=str(uuid.uuid4()),
        now=now,
    )


def _board(
    session: Session,
    competition: Competition,
    roll: TeamRoll,
    struck: Struck,
    own: OwnSide | None,
) -> tuple[BoardRow, ...]:
    """Return the board of the teams that may stand on it."""
    offering = competition.offering
    scores = public_scores(session, roll, struck, offering.id, before=freezes_at(offering))
    teams = [
        BoardTeam(
            name=roll.teams[team_id].name,
            scores=found,
            is_own=own is not None and own.team is not None and own.team.id == team_id,
        )
        for team_id, found in scores.items()
        if team_id not in struck.teams and roll.members[team_id]
    ]
    return tuple(public_board(competition, teams))


def own_history(
    competition: Competition, struck: Struck, entries: Sequence[CompetitionEntry]
) -> list[BoardStep]:
    """Return a team's entries that count, on the shown numbers."""
    counting = [one for one in entries if one.id not in struck.entries]
    return steps(competition.ladder, counting, freezes_at(competition.offering))


def _own_side(
    session: Session,
    competition: Competition,
    roll: TeamRoll,
    struck: Struck,
    student: Enrolment,
    *,
    now: datetime,
) -> OwnSide:
    offering = competition.offering
    team = roll.team_of(student.id)
    entries = entries_of(session, roll, team)
    history = own_history(competition, struck, entries)
    choice = choices_in(session, [team.id]).get(team.id) if team else None
    allowance = allowance_of(session, offering, roll, student.id, now=now)
    refusal = ""
    try:
        check_allowance(allowance, offering, now=now)
    except Invalid as problem:
        refusal = str(problem)
    return OwnSide(
        team=team,
        members=roll.members[team.id] if team else (student,),
        history=tuple(history),
        entries=tuple(entries),
        finals=finals_of(history, choice),
        allowance=allowance,
        refusal=refusal,
        invited=tuple(invitations_of(session, student.id, offering.id)),
        inviting=tuple(invitations_by(session, team)) if team else (),
        struck=struck.teams.get(team.id) if team else None,
    )
