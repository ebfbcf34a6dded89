"""Teams of a lab: who may form one, what it has used of its attempts, and teams of earlier labs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.courses.models import Enrolment, Offering, OfferingKind, Role, Term
from portal.courses.policy import teams_lock_at
from portal.courses.service import students
from portal.grants.service import conditions_of_team
from portal.labs.service import allowance_of
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.teams import service as teams
from portal.teams.models import Team, TeamInvitation
from portal.teams.parties import Party


@dataclass(frozen=True)
class OwnTeam:
    """What the page of a lab says to a student of their team."""

    members: tuple[Enrolment, ...]  # the student among them
    name: str  # "" while they are alone and nothing is written down
    size: int  # the most people
    locks_at: datetime
    open: bool  # whether students may change their teams now
    invited: tuple[TeamInvitation, ...]  # that wait for the student
    inviting: tuple[TeamInvitation, ...]  # of the team, that wait for others
    earlier: tuple[Offering, ...]  # labs whose team they may ask again in one press

    @property
    def together(self) -> bool:
        """Whether there is anybody else in it."""
        return len(self.members) > 1


@dataclass(frozen=True)
class LabTeams:
    """Who is with whom in a lab, for staff."""

    offering: Offering
    teams: tuple[tuple[Team, tuple[Enrolment, ...]], ...]  # by name, and none without people
    alone: tuple[Enrolment, ...]  # students without a team
    earlier: tuple[Offering, ...]  # whose teams may be copied

    @property
    def people(self) -> list[Enrolment]:
        """Everybody who may be moved, by name."""
        found = [*self.alone, *(one for _, members in self.teams for one in members)]
        return sorted(found, key=lambda one: (one.user.display_name, one.user.username))


def has_teams(offering: Offering) -> bool:
    """Tell whether students may hand a lab in together."""
    return offering.kind is OfferingKind.LAB and teams.size_of(offering) > 1


def own_team(
    session: Session, offering: Offering, enrolment: Enrolment, *, now: datetime
) -> OwnTeam | None:
    """Return a student's team in a lab; None where everybody hands in alone."""
    if not has_teams(offering):
        return None
    roll = teams.roll_of(session, offering.id)
    team = roll.team_of(enrolment.id)
    members = roll.members[team.id] if team else (enrolment,)
    return OwnTeam(
        members=members,
        name=team.name if team else "",
        size=teams.size_of(offering),
        locks_at=teams_lock_at(offering),
        open=offering.opens_at <= now < teams_lock_at(offering),
        invited=tuple(teams.invitations_of(session, enrolment.id, offering.id)),
        inviting=tuple(teams.invitations_by(session, team)) if team else (),
        earlier=() if len(members) > 1 else _with_mates(session, offering, enrolment),
    )


def join(session: Session, offering: Offering, asking: TeamInvitation, *, now: datetime) -> None:
    """Accept an invitation; the caller commits. Raises Invalid as `teams.accept` does.

    Attempts that either of the two has used count against both.
    """
    roll = teams.roll_of(session, offering.id)
    both = {
        *roll.members_of(asking.enrolment_id),
        *(one.id for one in roll.members[asking.team_id]),
    }
    own = conditions_of_team(session, both, offering)
    used = allowance_of(session, Party(tuple(sorted(both))), offering, own, now=now)
    most = own.attempts_total
    if not offering.score_past_limit:
        most = own.could_have_used(used.used_today, now, ZoneInfo(offering.term.timezone))
    teams.accept(session, offering, asking, together=used.used_total, most=most, now=now)


def ask_again(
    session: Session, offering: Offering, earlier: Offering, enrolment: Enrolment, *, now: datetime
) -> bool:
    """Ask everybody who was in one's team of an earlier lab; the caller commits.

    Tell whether one of them had asked already, so that the two are a team now. Raises Invalid.
    """
    mates = _mates(session, earlier, enrolment)
    if not mates:
        raise Invalid(gettext("you were alone in %(lab)s", lab=earlier.title))
    ids = {one.id for one in mates}
    asked = teams.invitations_of(session, enrolment.id, offering.id)
    known = next((one for one in asked if one.author_id in ids), None)
    if known is not None:
        join(session, offering, known, now=now)
        return True
    for mate in mates:
        teams.invite(session, offering, enrolment, mate.user.username, now=now)
    return False


def copy_teams(
    session: Session, offering: Offering, earlier: Offering, *, actor_id: int, now: datetime
) -> int:
    """Form the teams of an earlier lab again, by staff's hand; return how many.

    Whoever is in a team with others here stays there. The caller commits. Raises Invalid if a team
    would have too many people.
    """
    there, here = (teams.roll_of(session, one.id) for one in (earlier, offering))
    reason = gettext("as in %(lab)s", lab=earlier.title)
    formed = 0
    for team_id, people in there.members.items():
        free = [one for one in people if _takes_part(one) and len(here.members_of(one.id)) == 1]
        if len(free) < 2:
            continue
        if len(free) > teams.size_of(offering):
            raise Invalid(
                gettext(
                    "the team %(name)s has %(count)s people, and here %(size)s at most hand in "
                    "together",
                    name=there.teams[team_id].name,
                    count=len(free),
                    size=teams.size_of(offering),
                )
            )
        teams.form(session, offering, free, here, reason=reason, actor_id=actor_id, now=now)
        formed += 1
    return formed


def teams_of_labs(session: Session, term: Term) -> list[LabTeams]:
    """Return who is with whom in each lab of a term that teams hand in, by the teams' names.

    Each lab's teams are read once, however many labs may copy them.
    """
    having = teams.having_teams(session, [one.id for one in term.offerings])
    people = students(session, term.id)
    return [_teams_in(session, one, people, having) for one in term.offerings if has_teams(one)]


def _teams_in(
    session: Session, offering: Offering, people: Sequence[Enrolment], having: Collection[int]
) -> LabTeams:
    roll = teams.roll_of(session, offering.id)
    named = sorted(roll.teams.values(), key=lambda one: one.name.casefold())
    found = tuple((team, roll.members[team.id]) for team in named if roll.members[team.id])
    alone = tuple(one for one in people if one.id not in roll.place_of)
    earlier = tuple(one for one in _others(offering) if one.id in having)
    return LabTeams(offering, found, alone, earlier)


def _others(offering: Offering) -> Sequence[Offering]:
    """Return what else of a term teams take part in, the newest first."""
    found = (one for one in offering.term.offerings if one.id != offering.id)
    return [one for one in reversed(list(found)) if teams.size_of(one) > 1]


def _with_mates(session: Session, offering: Offering, enrolment: Enrolment) -> tuple[Offering, ...]:
    return tuple(
        one for one in _others(offering) if one.published and _mates(session, one, enrolment)
    )


def _mates(session: Session, offering: Offering, enrolment: Enrolment) -> list[Enrolment]:
    """Return who else takes part in the term of those in a student's team."""
    roll = teams.roll_of(session, offering.id)
    team = roll.team_of(enrolment.id)
    there = roll.members[team.id] if team else ()
    return [one for one in there if one.id != enrolment.id and _takes_part(one)]


def _takes_part(enrolment: Enrolment) -> bool:
    return enrolment.active and enrolment.role is Role.STUDENT
