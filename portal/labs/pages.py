"""Pages: a person's home and a lab."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from grader.api import Lab, ManifestError, UnknownAssignment
from portal.courses.access import OfferingAccess, require_offering
from portal.courses.models import Enrolment, Offering
from portal.courses.policy import Conditions, OfferingState, conditions
from portal.courses.service import enrolments_of, visible_offerings
from portal.courses.variants import Lot
from portal.grants.service import conditions_of_all
from portal.labs.handout import read_handout, skeleton_zip
from portal.people.login import me
from portal.platform.language import page_language
from portal.platform.web import db_session, now, portal
from portal.standings.late_days import late_days_left
from portal.standings.rubric import is_by_rank
from portal.standings.scores import ScoreCard, score_for_student, scores_of
from portal.submissions.arrival import ON_THE_WAY, Arrival
from portal.submissions.models import Submission
from portal.teams.parties import conditions_here

blueprint = Blueprint("labs", __name__)


@dataclass(frozen=True)
class HomeLine:
    """One offering on the home page."""

    offering: Offering
    conditions: Conditions  # that hold for this person
    is_competition: bool  # its page is another one
    state: OfferingState
    score: ScoreCard


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """Show what a person's terms offer, when it is due and what it earned."""
    session = db_session()
    terms = [
        (enrolment, _home_lines(session, enrolment, now()), late_days_left(session, enrolment))
        for enrolment in enrolments_of(session, me().id)
    ]
    return render_template("labs/home.html", terms=terms, now=now())


def _home_lines(session: Session, enrolment: Enrolment, at: datetime) -> list[HomeLine]:
    scores = scores_of(session, enrolment, portal().catalogue, as_student=True)
    lines = []
    for offering in visible_offerings(session, enrolment):
        own = conditions_here(session, offering, enrolment.id)
        by_rank = is_by_rank(portal().catalogue, offering)
        lines.append(HomeLine(offering, own, by_rank, own.state(at), scores[offering.id]))
    return lines


@blueprint.get("/labs/<int:offering_id>/")
def lab(offering_id: int) -> ResponseReturnValue:
    """Show a lab: handout, points, skeleton, upload form and the person's attempts."""
    access = require_offering(db_session(), offering_id)
    own = conditions_here(
        db_session(), access.offering, access.enrolment.id if access.enrolment else None
    )
    state = own.state(now())
    hidden = state is OfferingState.NOT_YET and not access.is_staff
    found = None if hidden else _lab_of(access.offering)
    language = request.args.get("lang", page_language().code)
    handout = read_handout(found.public, language) if found else None
    score = _score(access)
    return render_template(
        "labs/lab.html",
        offering=access.offering,
        conditions=own,
        enrolment=access.enrolment,
        is_staff=access.is_staff,
        zone=access.offering.term.timezone,
        state=state,
        hidden=hidden,
        assignment=found.assignment if found else None,
        variants=_variants(found, access) if found else {},
        handout=handout,
        score=score,
        earned=_earned(access, score),
        is_competition=is_by_rank(portal().catalogue, access.offering),
        now=now(),
    )


@blueprint.get("/labs/<int:offering_id>/skeleton.zip")
def skeleton(offering_id: int) -> ResponseReturnValue:
    """Send the lab's public folder, from the moment the lab opens."""
    access = require_offering(db_session(), offering_id)
    found = _lab_of(access.offering)
    if found is None:
        abort(404)
    if conditions(access.offering).state(now()) is OfferingState.NOT_YET and not access.is_staff:
        abort(404)
    response = Response(skeleton_zip(found.assignment), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="{found.assignment.slug}.zip"'
    return response


def _score(access: OfferingAccess) -> ScoreCard | None:
    """Return what a student has earned; None for staff, who earn nothing."""
    if access.enrolment is None or access.is_staff:
        return None
    return score_for_student(db_session(), access.enrolment, access.offering, portal().catalogue)


def _earned(access: OfferingAccess, score: ScoreCard | None) -> dict[str, list[float]]:
    """Return what the attempt that counts earned by tests: by item, points and the most.

    Of an upload past the day's limit nothing until nobody can hand in any more.
    """
    counted = score.counted if score else None
    if counted is None or counted.submission_id is None:
        return {}
    arrived = db_session().get_one(Submission, counted.submission_id).intake
    closed = conditions_of_all(db_session(), access.offering).is_closed(now() - ON_THE_WAY)
    alone = Arrival.model_validate_json(arrived).score_alone
    return {} if alone and not closed else counted.items


def _variants(lab: Lab, access: OfferingAccess) -> dict[str, dict[str, Any]]:
    """Return the settings of the variant this person works on; to staff, of every one drawn."""
    if not lab.assignment.variants:
        return {}
    lot = Lot.of(access.offering, me().id)
    everybodys = access.is_staff and lot.names
    names = lot.names if everybodys else (lot.draw(portal().config.grading_key),)
    chosen = [name or lab.assignment.default_variant for name in names]
    known = [name for name in chosen if name in lab.assignment.variants]
    return {name: lab.assignment.variant(name) for name in known}


def _lab_of(offering: Offering) -> Lab | None:
    """Return the lab of an offering, None if its folder is not (or not soundly) there."""
    if offering.assignment_slug is None:
        return None
    try:
        return portal().catalogue.get(offering.assignment_slug)
    except (UnknownAssignment, ManifestError):
        return None
