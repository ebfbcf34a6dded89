"""The student's own choice of the attempt that counts, on the page of the lab."""

from __future__ import annotations

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.courses.access import require_offering
from portal.courses.models import Enrolment, Offering
from portal.platform.language import gettext
from portal.platform.web import began, db_session, now, writing
from portal.standings.choosing import Choice, choice_of, choose_own

blueprint = Blueprint("choice", __name__)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    """Let the list of attempts say how the choice stands."""
    return {"my_choice": my_choice}


def my_choice(offering: Offering) -> Choice | None:
    """Return how the choice of the person who is logged in stands; None where a rule decides."""
    access = require_offering(db_session(), offering.id)
    if access.enrolment is None or access.is_staff:
        return None
    return choice_of(db_session(), access.enrolment, access.offering, now=now())


@blueprint.post("/labs/<int:offering_id>/counts")
def choose(offering_id: int) -> ResponseReturnValue:
    """Let an attempt of the student's count, or the best again."""
    access = require_offering(db_session(), offering_id)
    if access.enrolment is None or access.is_staff:
        abort(404)
    enrolment_id = access.enrolment.id
    with writing() as session:
        choice = choose_own(
            session,
            enrolment=session.get_one(Enrolment, enrolment_id),
            offering=session.get_one(Offering, offering_id),
            submission_id=request.form.get("attempt", ""),
            now=began(),
        )
        if choice.submission is not None:
            said = gettext("Saved: attempt %(number)s counts.", number=choice.submission.attempt)
        else:
            said = gettext("Saved: your best attempt counts.")
    flash(said, "success")
    return redirect(url_for("labs.lab", offering_id=offering_id, _anchor="attempts-title"), 303)
