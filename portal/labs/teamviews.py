"""A student's team in a lab, on the page of the lab: asking, answering, leaving."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import require_offering
from portal.courses.models import Enrolment, Offering
from portal.labs import teaming
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.feature import rate
from portal.platform.language import gettext
from portal.platform.security import limiter
from portal.platform.web import db_session, now, row_id, writing
from portal.teams import service as teams
from portal.teams.forms import invitation_as_sent

blueprint = Blueprint("lab_teams", __name__)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Let the page of a lab show the team of the person who is logged in."""
    return {"my_team": my_team}


def my_team(offering: Offering) -> teaming.OwnTeam | None:
    """Return the team of the person who is logged in; None where there are no teams, and staff."""
    access = require_offering(db_session(), offering.id)
    if access.enrolment is None or access.is_staff:
        return None
    return teaming.own_team(db_session(), access.offering, access.enrolment, now=now())


@blueprint.post("/labs/<int:offering_id>/team/invitations")
@limiter.limit(lambda: rate("lab_teams.invite"), key_func=lambda: f"lab-invite:{me().id}")
def invite(offering_id: int) -> ResponseReturnValue:
    """Ask a student of the term into one's team."""
    enrolment_id = _student(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        author = session.get_one(Enrolment, enrolment_id)
        asking = teams.invite(
            session, offering, author, request.form.get("username", ""), now=now()
        )
        session.flush()
        name = session.get_one(Enrolment, asking.enrolment_id).user.display_name
    flash(gettext("%(name)s is asked. The team is formed once they accept.", name=name), "success")
    return _back(offering_id)


@blueprint.post("/labs/<int:offering_id>/team/again")
@limiter.limit(lambda: rate("lab_teams.again"), key_func=lambda: f"lab-invite:{me().id}")
def again(offering_id: int) -> ResponseReturnValue:
    """Ask everybody who was in one's team of an earlier lab."""
    enrolment_id = _student(offering_id)
    wanted = request.form.get("earlier", type=row_id)
    if wanted is None:
        raise Invalid(gettext("choose a lab"))
    with writing() as session:
        offering = teams.lock(session, offering_id)
        earlier = session.get(Offering, wanted)
        if earlier is None or earlier.term_id != offering.term_id or not earlier.published:
            abort(404)
        own = session.get_one(Enrolment, enrolment_id)
        formed = teaming.ask_again(session, offering, earlier, own, now=now())
    if formed:
        flash(gettext("You are a team again."), "success")
    else:
        flash(gettext("Your team of before is asked. It is formed once they accept."), "success")
    return _back(offering_id)


@blueprint.post("/labs/<int:offering_id>/team/invitations/<int:invitation_id>")
def answer(offering_id: int, invitation_id: int) -> ResponseReturnValue:
    """Accept or decline an invitation, or withdraw one of one's own team."""
    enrolment_id = _student(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        asking, accepts = invitation_as_sent(session, offering, invitation_id, enrolment_id)
        if accepts:
            teaming.join(session, offering, asking, now=now())
            flash(gettext("You are in the team %(name)s now.", name=asking.team.name), "success")
        else:
            own = session.get_one(Enrolment, enrolment_id)
            teams.decline(session, asking, own, now=now())
            flash(gettext("The invitation is closed."), "info")
    return _back(offering_id)


@blueprint.post("/labs/<int:offering_id>/team/name")
def rename(offering_id: int) -> ResponseReturnValue:
    """Give one's team another name."""
    enrolment_id = _student(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        own = session.get_one(Enrolment, enrolment_id)
        team = teams.rename_own(session, offering, own, request.form.get("name", ""), now=now())
        flash(gettext("Your team is now called %(name)s.", name=team.name), "success")
    return _back(offering_id)


@blueprint.post("/labs/<int:offering_id>/team/leave")
def leave(offering_id: int) -> ResponseReturnValue:
    """Leave one's team."""
    enrolment_id = _student(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        teams.leave(session, offering, session.get_one(Enrolment, enrolment_id), now=now())
    flash(gettext("You are alone in this lab now."), "success")
    return _back(offering_id)


def _student(offering_id: int) -> int:
    """Return the enrolment of the logged-in student in front of a lab of teams; else answer 404."""
    access = require_offering(db_session(), offering_id)
    if access.enrolment is None or access.is_staff or not teaming.has_teams(access.offering):
        abort(404)
    return access.enrolment.id


def _back(offering_id: int) -> ResponseReturnValue:
    return redirect(url_for("labs.lab", offering_id=offering_id, _anchor="team"), 303)
