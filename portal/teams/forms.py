"""What forms about teams send, read in one way for labs and for competitions.

Ids of another term, lab or team are answered as not found. The caller holds the teams' lock.
"""

from __future__ import annotations

from datetime import datetime

from flask import abort, request
from sqlalchemy.orm import Session

from portal.courses.models import Enrolment, Offering, Role
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import row_id
from portal.teams import service as teams
from portal.teams.models import Team, TeamInvitation


def move_as_sent(
    session: Session, offering: Offering, *, actor_id: int, now: datetime
) -> dict[str, str]:
    """Move the student whom staff chose; return the words that say so. Raises Invalid."""
    person, goal = request.form.get("person", type=row_id), request.form.get("team", "")
    if person is None:
        raise Invalid(gettext("choose a student"))
    who = session.get(Enrolment, person)
    if who is None or who.term_id != offering.term_id or who.role is not Role.STUDENT:
        abort(404)
    team = teams.move(
        session,
        offering,
        who,
        None if goal == "own" else team_as_sent(session, offering, goal),
        reason=request.form.get("reason", ""),
        actor_id=actor_id,
        now=now,
    )
    return {"name": who.user.display_name, "team": team.name}


def rename_as_sent(session: Session, offering: Offering, *, actor_id: int, now: datetime) -> Team:
    """Give the team that staff chose the name that they typed. Raises Invalid."""
    team = team_as_sent(session, offering, request.form.get("team", ""))
    teams.rename(session, team, request.form.get("name", ""), actor_id=actor_id, now=now)
    return team


def team_as_sent(session: Session, offering: Offering, text: str) -> Team:
    """Return a team of the offering by the id that a form sends. Raises Invalid if it is none."""
    try:
        found = session.get(Team, row_id(text))
    except ValueError:
        raise Invalid(gettext("choose a team")) from None
    if found is None or found.offering_id != offering.id:
        abort(404)
    return found


def invitation_as_sent(
    session: Session, offering: Offering, invitation_id: int, enrolment_id: int
) -> tuple[TeamInvitation, bool]:
    """Return an invitation to a student, or of their team, and whether they accept it."""
    asking = session.get(TeamInvitation, invitation_id)
    if asking is None or asking.team.offering_id != offering.id:
        abort(404)
    team = teams.roll_of(session, offering.id).team_of(enrolment_id)
    is_asked = asking.enrolment_id == enrolment_id
    if not is_asked and (team is None or team.id != asking.team_id):
        abort(404)
    return asking, is_asked and request.form.get("answer") == "accept"
