"""Forming teams: inviting, answering, leaving, and staff's hand. The caller commits.

In a competition, and in a lab that teams hand in together.

Each change is judged under the offering's lock, so that two at the same instant cannot slip
through together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload

from portal.audit.service import record
from portal.courses.models import Enrolment, Offering, OfferingKind, Role
from portal.courses.policy import TEAM_SIZE, teams_lock_at
from portal.people.models import User
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.reasons import stated
from portal.teams.models import InvitationAnswer, Team, TeamInvitation, TeamMove
from portal.teams.names import drawn_name, read_name

MOST_INVITATIONS = 20  # of one team that nobody has answered
MAX_REASON = 500


@dataclass(frozen=True)
class TeamRoll:
    """The teams of an offering and who is in them, at one instant."""

    teams: dict[int, Team]
    place_of: dict[int, int]  # the team of each person who has one, by enrolment
    members: dict[int, tuple[Enrolment, ...]] = field(default_factory=dict)  # by team

    def team_of(self, enrolment_id: int) -> Team | None:
        """Return a person's team; None: they are alone, and nothing is written down of it."""
        place = self.place_of.get(enrolment_id)
        return None if place is None else self.teams[place]

    def members_of(self, enrolment_id: int) -> tuple[int, ...]:
        """Return the enrolments of everybody in a person's team, theirs among them."""
        team = self.team_of(enrolment_id)
        return tuple(one.id for one in self.members[team.id]) if team else (enrolment_id,)

    def root(self, team_id: int) -> int:
        """Return the team that a team has become, itself if it is one still."""
        while (into := self.teams[team_id].merged_into_id) is not None:
            team_id = into
        return team_id

    def family(self, team_id: int) -> frozenset[int]:
        """Return a team and all that have become part of it: their entries are its own."""
        return frozenset(one for one in self.teams if self.root(one) == team_id)


def roll_of(session: Session, offering_id: int, *, until: datetime | None = None) -> TeamRoll:
    """Return the teams of an offering as they are; `until` an instant, who was in them then."""
    newest = (
        select(func.max(TeamMove.id))
        .join(Team, TeamMove.team_id == Team.id)
        .where(Team.offering_id == offering_id)
        .group_by(TeamMove.enrolment_id)
    )
    if until is not None:
        newest = newest.where(TeamMove.at <= until)
    moves = session.scalars(
        select(TeamMove)
        .where(TeamMove.id.in_(newest))
        .options(joinedload(TeamMove.enrolment).joinedload(Enrolment.user))
        .order_by(TeamMove.id)
    ).all()
    # Read after the moves: a team that is formed meanwhile is there, whoever has moved to it.
    teams = {
        team.id: team
        for team in session.scalars(select(Team).where(Team.offering_id == offering_id))
    }
    members: dict[int, tuple[Enrolment, ...]] = dict.fromkeys(teams, ())
    for move in moves:
        members[move.team_id] = (*members[move.team_id], move.enrolment)
    return TeamRoll(teams, {move.enrolment_id: move.team_id for move in moves}, members)


def having_teams(session: Session, offering_ids: Collection[int]) -> frozenset[int]:
    """Return those of some offerings in which there is a team, of people or of nobody any more."""
    formed = select(Team.id).where(Team.offering_id == Offering.id).exists()
    return frozenset(
        session.scalars(select(Offering.id).where(Offering.id.in_(offering_ids), formed))
    )


def lock(session: Session, offering_id: int) -> Offering:
    """Let one change of an offering be judged at a time; SQLite lets only one write anyway.

    Rows that only point to the offering are written meanwhile: whoever writes one may hold what
    this transaction waits for.
    """
    locked = select(Offering).where(Offering.id == offering_id).with_for_update(key_share=True)
    return session.scalars(locked).one()


def size_of(offering: Offering) -> int:
    """Return how many people a team may have; 1: everybody hands in alone."""
    by_default = TEAM_SIZE if offering.kind is OfferingKind.COMPETITION else 1
    return offering.team_size or by_default


def invitations_of(session: Session, enrolment_id: int, offering_id: int) -> list[TeamInvitation]:
    """Return the invitations that wait for a person's answer, the oldest first."""
    return list(
        session.scalars(
            _open_invitations(offering_id).where(TeamInvitation.enrolment_id == enrolment_id)
        )
    )


def invitations_by(session: Session, team: Team) -> list[TeamInvitation]:
    """Return the invitations of a team that nobody has answered, the oldest first."""
    return list(
        session.scalars(
            _open_invitations(team.offering_id).where(TeamInvitation.team_id == team.id)
        )
    )


def own_team(session: Session, offering: Offering, enrolment: Enrolment, *, now: datetime) -> Team:
    """Return a person's team, which is written down now if they were alone until now."""
    team = roll_of(session, offering.id).team_of(enrolment.id)
    if team is None:
        team = _new_team(session, offering.id, now)
        _move(session, team, enrolment, author_id=enrolment.user_id, now=now)
    return team


def rename_own(
    session: Session, offering: Offering, who: Enrolment, name: str, *, now: datetime
) -> Team:
    """Give one's own team another name, however long teams are locked. Raises Invalid."""
    _check_opened(offering, now)
    team = own_team(session, offering, who, now=now)
    rename(session, team, name, actor_id=who.user_id, now=now)
    return team


def rename(session: Session, team: Team, name: str, *, actor_id: int, now: datetime) -> None:
    """Give a team another name. Raises Invalid if it cannot be shown, or is another team's."""
    before = team.name
    team.name = read_name(name, _names(session, team.offering_id) - {before})
    _record(session, team, "team.rename", actor_id, now, before=before, after=team.name)


def invite(
    session: Session, offering: Offering, author: Enrolment, username: str, *, now: datetime
) -> TeamInvitation:
    """Ask somebody into one's team. Raises Invalid if that cannot be."""
    _check_open(offering, now)
    team = own_team(session, offering, author, now=now)
    roll = roll_of(session, offering.id)
    asked = _classmate(session, offering, username)
    waiting = invitations_by(session, team)
    if asked.id in roll.members_of(author.id):
        raise Invalid(gettext("%(name)s is in your team already", name=asked.user.display_name))
    if len(roll.members[team.id]) >= size_of(offering):
        raise Invalid(gettext("your team is full: it has %(size)s people", size=size_of(offering)))
    if len(waiting) >= MOST_INVITATIONS:
        raise Invalid(gettext("too many invitations wait for an answer; withdraw some first"))
    for known in waiting:
        if known.enrolment_id == asked.id:
            return known
    asking = TeamInvitation(team_id=team.id, enrolment_id=asked.id, author_id=author.id, at=now)
    session.add(asking)
    _record(session, team, "team.invite", author.user_id, now, person=asked.user.username)
    return asking


def decline(session: Session, asking: TeamInvitation, who: Enrolment, *, now: datetime) -> None:
    """Say no to an invitation, or withdraw it if `who` is of the team that asks."""
    own = asking.enrolment_id == who.id
    answer = InvitationAnswer.DECLINED if own else InvitationAnswer.WITHDRAWN
    _answer(session, asking, answer, now)


def accept(
    session: Session,
    offering: Offering,
    asking: TeamInvitation,
    *,
    together: int,
    most: int | None,
    now: datetime,
) -> None:
    """Go to the team that asks; to a competition's with one's own entries.

    `together` is how often the two have handed in, `most` how often one team could have until now
    (None: no limit). Raises Invalid if the person is in a team with others, if the team is full, or
    if the two would gain by it.
    """
    _check_open(offering, now)
    roll = roll_of(session, offering.id)
    if asking.team.merged_into_id is not None:
        raise Invalid(gettext("this team has become part of another one; reload the page"))
    if len(roll.members_of(asking.enrolment_id)) > 1:
        raise Invalid(gettext("you are in a team with others; leave it first"))
    if len(roll.members[asking.team_id]) >= size_of(offering):
        raise Invalid(gettext("this team is full: it has %(size)s people", size=size_of(offering)))
    if most is not None and together > most:
        raise Invalid(_gain(offering, together, most))
    _answer(session, asking, InvitationAnswer.ACCEPTED, now)
    before = roll.team_of(asking.enrolment_id)
    _move(session, asking.team, asking.enrolment, author_id=asking.enrolment.user_id, now=now)
    if before is not None:
        before.merged_into_id = asking.team_id
    _close_invitations(session, offering.id, asking, roll, now)
    _record(
        session,
        asking.team,
        "team.join",
        asking.enrolment.user_id,
        now,
        person=asking.enrolment.user.username,
    )


def leave(session: Session, offering: Offering, who: Enrolment, *, now: datetime) -> Team:
    """Leave a team for one of one's own; a competition's entries stay with whoever stays.

    What was made together counts against both as before. Raises Invalid.
    """
    _check_open(offering, now)
    roll = roll_of(session, offering.id)
    before = roll.team_of(who.id)
    if before is None or len(roll.members[before.id]) < 2:
        raise Invalid(gettext("you are alone in your team"))
    team = _new_team(session, offering.id, now)
    _move(session, team, who, author_id=who.user_id, now=now)
    _record(session, before, "team.leave", who.user_id, now, person=who.user.username)
    return team


def move(
    session: Session,
    offering: Offering,
    who: Enrolment,
    target: Team | None,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
) -> Team:
    """Move a person by staff's hand: to another team, or (None) to one of their own.

    Neither the lock nor the size binds staff. Raises Invalid without a reason, or if nothing
    would change.
    """
    roll = roll_of(session, offering.id)
    return _move_by_staff(
        session, offering, who, target, roll, reason=reason, actor_id=actor_id, now=now
    )


def form(
    session: Session,
    offering: Offering,
    people: Sequence[Enrolment],
    roll: TeamRoll,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
) -> Team:
    """Make one team of people who are alone in the roll, by staff's hand, as `move` does.

    Whoever forms many reads the roll once: what is formed of others changes nothing for these.
    """
    first, *others = people
    team = roll.team_of(first.id)
    if team is None:
        team = _new_team(session, offering.id, now)
        _move(session, team, first, author_id=actor_id, reason=reason, now=now)
    for one in others:
        _move_by_staff(
            session, offering, one, team, roll, reason=reason, actor_id=actor_id, now=now
        )
    return team


def _move_by_staff(
    session: Session,
    offering: Offering,
    who: Enrolment,
    target: Team | None,
    roll: TeamRoll,
    *,
    reason: str,
    actor_id: int,
    now: datetime,
) -> Team:
    reason = read_reason(reason)
    before = roll.team_of(who.id)
    alone = len(roll.members_of(who.id)) == 1
    if before is target if target is not None else alone:
        raise Invalid(gettext("%(name)s is there already", name=who.user.display_name))
    if target is not None and target.merged_into_id is not None:
        raise Invalid(gettext("this team has become part of another one; reload the page"))
    goal = target or _new_team(session, offering.id, now)
    _move(session, goal, who, author_id=actor_id, reason=reason, now=now)
    if before is not None and alone:
        before.merged_into_id = goal.id
    for asking in invitations_of(session, who.id, offering.id):
        _answer(session, asking, InvitationAnswer.WITHDRAWN, now)
    _record(session, goal, "team.move", actor_id, now, person=who.user.username, reason=reason)
    return goal


def read_reason(text: str) -> str:
    """Return staff's reason. Raises Invalid if there is none, or if it is too long."""
    missing = gettext("say why, in a few words: it stands in the history")
    return stated(text, MAX_REASON, missing=missing)


def _check_opened(offering: Offering, now: datetime) -> None:
    if now < offering.opens_at:
        raise Invalid(gettext("teams are formed once %(lab)s is open", lab=offering.title))


def _check_open(offering: Offering, now: datetime) -> None:
    _check_opened(offering, now)
    if now >= teams_lock_at(offering):
        raise Invalid(gettext("teams are locked by now; ask your instructor"))


def _gain(offering: Offering, together: int, most: int) -> str:
    """Say why two may not become one team yet."""
    if offering.kind is OfferingKind.COMPETITION:
        return gettext(
            "together you have made %(together)s entries, and one team could have made "
            "%(most)s until now; wait a day, so that nobody gains entries by merging",
            together=together,
            most=most,
        )
    return gettext(
        "together you have used %(together)s attempts, and one team could have used %(most)s until "
        "now; wait a day, so that nobody gains attempts by merging",
        together=together,
        most=most,
    )


def _classmate(session: Session, offering: Offering, username: str) -> Enrolment:
    """Return a student of the term by username. Raises Invalid, the same for all who are none."""
    found = session.scalar(
        select(Enrolment)
        .join(Enrolment.user)
        .where(
            Enrolment.term_id == offering.term_id,
            Enrolment.role == Role.STUDENT,
            Enrolment.active,
            User.username == username.strip(),
        )
        .options(joinedload(Enrolment.user))
    )
    if found is None:
        raise Invalid(
            gettext("no student of this term has the username %(name)r", name=username.strip()[:64])
        )
    return found


def _open_invitations(offering_id: int) -> Select[TeamInvitation]:
    return (
        select(TeamInvitation)
        .join(TeamInvitation.team)
        .where(Team.offering_id == offering_id, TeamInvitation.answer.is_(None))
        .options(
            joinedload(TeamInvitation.team),
            joinedload(TeamInvitation.enrolment).joinedload(Enrolment.user),
            joinedload(TeamInvitation.author).joinedload(Enrolment.user),
        )
        .order_by(TeamInvitation.id)
    )


def _answer(
    session: Session, asking: TeamInvitation, answer: InvitationAnswer, now: datetime
) -> None:
    if asking.answer is not None:
        raise Invalid(gettext("this invitation is no longer open; reload the page"))
    asking.answer, asking.answered_at = answer, now


def _close_invitations(
    session: Session, offering_id: int, taken: TeamInvitation, roll: TeamRoll, now: datetime
) -> None:
    """Close what can no longer be accepted: to whoever went, and by their team."""
    before = roll.team_of(taken.enrolment_id)
    others = invitations_of(session, taken.enrolment_id, offering_id)
    others += invitations_by(session, before) if before else []
    for asking in others:
        if asking.answer is None:
            _answer(session, asking, InvitationAnswer.WITHDRAWN, now)


def _new_team(session: Session, offering_id: int, now: datetime) -> Team:
    name = drawn_name(_names(session, offering_id))
    team = Team(offering_id=offering_id, name=name, created_at=now)
    session.add(team)
    session.flush()
    return team


def _names(session: Session, offering_id: int) -> set[str]:
    return set(session.scalars(select(Team.name).where(Team.offering_id == offering_id)))


def _move(
    session: Session,
    team: Team,
    who: Enrolment,
    *,
    author_id: int,
    now: datetime,
    reason: str = "",
) -> None:
    session.add(
        TeamMove(team_id=team.id, enrolment_id=who.id, author_id=author_id, reason=reason, at=now)
    )
    session.flush()


def _record(
    session: Session, team: Team, action: str, actor_id: int, now: datetime, **detail: str
) -> None:
    record(
        session,
        at=now,
        actor_id=actor_id,
        action=action,
        subject=f"offering:{team.offering_id}",
        team=team.name,
        **detail,
    )
