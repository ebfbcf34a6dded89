"""The competition as staff run it: teams and entries, disqualifying, and the result."""

from __future__ import annotations

import uuid

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.audit.service import record
from portal.competition import entries, finish, reruns
from portal.competition.fresh import ready_fresh
from portal.competition.models import CompetitionEntry, CompetitionRerun, Ruling
from portal.competition.opening import Competition, competition_of, judge_of
from portal.competition.rerunpage import rerun_table, unproved
from portal.competition.staffpage import staff_page, team_entries
from portal.competition.views import require_competition, send_entry
from portal.competition.words import CHIPS, VERDICT_CHIPS
from portal.courses.access import staff_term
from portal.courses.models import Offering, Term
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext, ngettext
from portal.platform.web import db_session, now, portal, row_id, writing
from portal.runs.web import engine_jobs
from portal.teams import service as teams
from portal.teams.by_staff import move_somebody, rename_a_team
from portal.teams.forms import team_as_sent

blueprint = Blueprint("competition_staff", __name__)


@blueprint.get("/staff/<slug>/competition")
def show(slug: str) -> ResponseReturnValue:
    """Show the teams and entries of a term's competition: the one asked for, else the first."""
    term = staff_term(db_session(), slug)
    wanted = request.args.get("offering", type=row_id)
    found = [
        competition
        for one in term.offerings
        if (competition := competition_of(portal().catalogue, one)) is not None
    ]
    if wanted is not None:
        found = [one for one in found if one.offering.id == wanted]
        if not found:
            abort(404)
    if not found:
        return render_template("competition/none.html", term=term)
    return _page(term, found[0])


@blueprint.get("/staff/<slug>/competition/<int:offering_id>/teams/<int:team_id>")
def one_team(slug: str, offering_id: int, team_id: int) -> ResponseReturnValue:
    """Show the entries of one team."""
    competition = _competition(slug, offering_id)
    found = team_as_sent(db_session(), competition.offering, str(team_id))
    if found.merged_into_id is not None:
        abort(404)
    return render_template(
        "competition/team.html",
        term=competition.offering.term,
        offering=competition.offering,
        page=team_entries(db_session(), found),
        zone=competition.offering.term.timezone,
        max_reason=teams.MAX_REASON,
    )


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/moves")
def move(slug: str, offering_id: int) -> ResponseReturnValue:
    """Move a person to a team, or to one of their own."""
    _competition(slug, offering_id)
    move_somebody(offering_id)
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/names")
def rename(slug: str, offering_id: int) -> ResponseReturnValue:
    """Give a team another name, where the one it picked cannot stay."""
    _competition(slug, offering_id)
    rename_a_team(offering_id)
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/rulings")
def rule(slug: str, offering_id: int) -> ResponseReturnValue:
    """Disqualify a team or one of its entries, or take that back."""
    competition = _competition(slug, offering_id)
    entry_id = request.form.get("entry") or None
    disqualified = request.form.get("what") != "undo"
    with writing() as session:
        teams.lock(session, offering_id)
        team = team_as_sent(session, competition.offering, request.form.get("team", ""))
        roll = teams.roll_of(session, offering_id)
        shown = roll.root(team.id)
        numbers = {one.id: one.number for one in entries.entries_of(session, roll, team)}
        if entry_id is not None and entry_id not in numbers:
            abort(404)
        reason = teams.read_reason(request.form.get("reason", ""))
        session.add(
            Ruling(
                team_id=team.id,
                entry_id=entry_id,
                disqualified=disqualified,
                reason=reason,
                author_id=me().id,
                at=now(),
            )
        )
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="competition.disqualify" if disqualified else "competition.readmit",
            subject=f"offering:{offering_id}",
            team=team.name,
            entry=numbers.get(entry_id or ""),
            reason=reason,
        )
    said = gettext("Disqualified.") if disqualified else gettext("Taken back.")
    flash(said, "success")
    if entry_id is None:
        return _back(slug, offering_id)
    place = url_for(".one_team", slug=slug, offering_id=offering_id, team_id=shown)
    return redirect(place, 303)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/reruns")
def rerun(slug: str, offering_id: int) -> ResponseReturnValue:
    """Queue the best finals, or one entry once more, to be run again from source."""
    competition = _competition(slug, offering_id)
    fresh, jobs = ready_fresh(portal().config, competition), engine_jobs()
    actor = me().id
    entry_id = request.form.get("entry")
    if entry_id:
        with writing() as session:
            reruns.queue_again(
                session, jobs, competition, entry_id, fresh, actor_id=actor, now=now()
            )
        flash(gettext("Queued once more."), "success")
        return _back(slug, offering_id)
    places = _best(competition, request.form.get("count", ""))
    with writing() as session:
        queued = reruns.queue_best(
            session,
            jobs,
            competition,
            places,
            fresh,
            also_holding="again" in request.form,
            actor_id=actor,
            now=now(),
        )
    _tell(queued)
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/reruns/cancel")
def cancel_reruns(slug: str, offering_id: int) -> ResponseReturnValue:
    """Cancel a re-run that is queued, or all that are; what a worker has taken goes on."""
    _competition(slug, offering_id)
    jobs, only = engine_jobs(), request.form.get("rerun") or None
    if only is not None:
        wanted = db_session().get(CompetitionRerun, only)
        if wanted is None or wanted.offering_id != offering_id:
            abort(404)
    actor = me().id
    with writing() as session:
        cancelled = reruns.cancel(session, jobs, offering_id, only=only, actor_id=actor, now=now())
    jobs.cancel(cancelled)
    if cancelled:
        said = ngettext("%(num)s is cancelled.", "%(num)s are cancelled.", len(cancelled))
        flash(said, "success")
    else:
        flash(gettext("Nothing is cancelled: it runs or has ended already."), "info")
    return _back(slug, offering_id)


@blueprint.get("/staff/<slug>/competition/<int:offering_id>/result")
def preview(slug: str, offering_id: int) -> ResponseReturnValue:
    """Show what would be written down as the result."""
    competition = _competition(slug, offering_id)
    judge = judge_of(portal().config, competition)
    wanted = finish.plan(db_session(), portal().store, judge, competition, now=now())
    return render_template(
        "competition/preview.html",
        term=competition.offering.term,
        offering=competition.offering,
        plan=wanted,
        reruns=unproved(db_session(), wanted, offering_id) if competition.rules.source else None,
        verdict_chips=VERDICT_CHIPS,
        again=finish.result_of(db_session(), offering_id) is not None,
        baseline=competition.rules.baseline,
        max_reason=teams.MAX_REASON,
    )


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/result")
def finalise(slug: str, offering_id: int) -> ResponseReturnValue:
    """Write down the result that was previewed, and a mark for everybody."""
    competition = _competition(slug, offering_id)
    judge = judge_of(portal().config, competition)
    wanted = finish.plan(db_session(), portal().store, judge, competition, now=now())
    if request.form.get("digest") != wanted.digest:
        raise Invalid(gettext("meanwhile something has changed; look at the preview again"))
    actor = me().id
    with writing() as session:
        finish.finalise(
            session,
            portal().catalogue,
            competition,
            wanted,
            reason=request.form.get("reason", ""),
            actor_id=actor,
            now=now(),
        )
    flash(gettext("The result is written down; students see it."), "success")
    return _back(slug, offering_id)


@blueprint.get("/staff/<slug>/competition/entries/<uuid:entry_id>/source.zip")
def source(slug: str, entry_id: uuid.UUID) -> ResponseReturnValue:
    """Send the source that came with an entry, for running it again; noted in the audit log."""
    term = staff_term(db_session(), slug)
    entry = db_session().get(CompetitionEntry, str(entry_id))
    if entry is None or entry.offering.term_id != term.id:
        abort(404)
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="competition.source",
            subject=f"offering:{entry.offering_id}",
            entry=entry.number,
        )
    return send_entry(entry, source=True)


def _page(term: Term, competition: Competition) -> str:
    page = staff_page(db_session(), competition, now=now())
    table = None
    if page.has_ended and competition.rules.source:
        table = rerun_table(db_session(), portal().config, competition, now=now())
    return render_template(
        "competition/staff.html",
        term=term,
        offering=competition.offering,
        page=page,
        reruns=table,
        best=reruns.BEST,
        most=reruns.MOST,
        verdict_chips=VERDICT_CHIPS,
        zone=term.timezone,
        chips=CHIPS,
        max_reason=teams.MAX_REASON,
    )


def _best(competition: Competition, count: str) -> tuple[finish.PlannedPlace, ...]:
    """Return the first places of the result as it would be; Invalid for a senseless number."""
    if not count.isdecimal() or not 1 <= int(count) <= reruns.MOST:
        raise Invalid(gettext("say how many to run again: 1 to %(most)s", most=reruns.MOST))
    judge = judge_of(portal().config, competition)
    plan = finish.plan(db_session(), portal().store, judge, competition, now=now())
    return plan.places[: int(count)]


def _tell(queued: reruns.QueuedReruns) -> None:
    """Say what was queued, and what was not and why."""
    said = ngettext("%(num)s entry is queued.", "%(num)s entries are queued.", queued.queued)
    flash(said, "success" if queued.queued else "info")
    skipped = queued.waiting + queued.holding
    if skipped:
        said = ngettext(
            "%(num)s is not: it waits or runs already, or held before.",
            "%(num)s are not: they wait or run already, or held before.",
            skipped,
        )
        flash(said, "info")
    if queued.without_source:
        names = gettext(", ").join(queued.without_source)
        flash(gettext("No source came with the finals of: %(teams)s", teams=names), "warning")


def _competition(slug: str, offering_id: int) -> Competition:
    """Return a competition of the term to its staff; else 404."""
    term = staff_term(db_session(), slug)
    offering = db_session().get(Offering, offering_id)
    if offering is None or offering.term_id != term.id:
        abort(404)
    return require_competition(offering)


def _back(slug: str, offering_id: int) -> ResponseReturnValue:
    return redirect(url_for("competition_staff.show", slug=slug, offering=offering_id), 303)
