"""What staff do to teams on pages of labs and of competitions alike: moving people, and renaming.

Who may do it there, and to which page it leads back, is the page's to say.
"""

from __future__ import annotations

from datetime import datetime

from flask import abort, flash, request
from sqlalchemy.orm import Session

from portal.courses.models import Enrolment, Offering, Role
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import now, row_id, writing
from portal.teams import service as teams
from portal.teams.forms import team_as_sent


def move_somebody(offering_id: int) -> None:
    """Move the student whom staff chose to a team, or to one of their own, and say so."""
    with writing() as session:
        offering = teams.lock(session, offering_id)
        said = _move_as_sent(session, offering, actor_id=me().id, now=now())
    flash(gettext("Moved: %(name)s is in the team %(team)s now.", **said), "success")


def rename_a_team(offering_id: int) -> None:
    """Give the team that staff chose the name that they typed, and say so."""
    with writing() as session:
        offering = teams.lock(session, offering_id)
        team = team_as_sent(session, offering, request.form.get("team", ""))
        teams.rename(session, team, request.form.get("name", ""), actor_id=me().id, now=now())
        name = team.name
    flash(gettext("The team is now called %(name)s.", name=name), "success")


def _move_as_sent(
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
