"""What forms about teams send, read in one way for labs and for competitions.

Ids of another term, lab or team are answered as not found. The caller holds the teams' lock.
"""

from __future__ import annotations

from flask import abort, request
from sqlalchemy.orm import Session

from portal.courses.models import Offering
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import row_id
from portal.teams import service as teams
from portal.teams.models import Team, TeamInvitation


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
