"""The competition as staff run it: teams and entries, disqualifying, and the result."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.competition import entries, finish
from portal.competition.models import CompetitionEntry, Ruling
from portal.competition.opening import Competition, competition_of, judge_of
from portal.competition.page import own_history, page_of
from portal.competition.views import require_competition, send_entry
from portal.competition.words import CHIPS
from portal.courses.access import staff_term
from portal.courses.models import Enrolment, Offering, Role, Term
from portal.courses.service import students
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.platform.web import db_session, now, portal, row_id, writing
from portal.teams import service as teams
from portal.teams.models import Team

blueprint = Blueprint("competition_staff", __name__)


@dataclass(frozen=True)
class StaffTeam:
    """A team as its staff see it: the numbers are those of the board."""

    team: Team
    members: tuple[Enrolment, ...]
    entries: tuple[CompetitionEntry, ...]
    number: float | None
    struck: str | None  # why it is disqualified; None if it is not


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


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/moves")
def move(slug: str, offering_id: int) -> ResponseReturnValue:
    """Move a person to a team, or to one of their own."""
    competition = _competition(slug, offering_id)
    person, goal = request.form.get("person", type=row_id), request.form.get("team", "")
    if person is None:
        raise Invalid(gettext("choose a student"))
    with writing() as session:
        offering = teams.lock(session, offering_id)
        who = session.get(Enrolment, person)
        if who is None or who.term_id != offering.term_id or who.role is not Role.STUDENT:
            abort(404)
        target = None if goal == "own" else _team(session, competition, goal)
        team = teams.move(
            session,
            offering,
            who,
            target,
            reason=request.form.get("reason", ""),
            actor_id=me().id,
            now=now(),
        )
        said = {"name": who.user.display_name, "team": team.name}
        flash(gettext("Moved: %(name)s is in the team %(team)s now.", **said), "success")
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/names")
def rename(slug: str, offering_id: int) -> ResponseReturnValue:
    """Give a team another name, where the one it picked cannot stay."""
    competition = _competition(slug, offering_id)
    with writing() as session:
        teams.lock(session, offering_id)
        team = _team(session, competition, request.form.get("team", ""))
        teams.rename(session, team, request.form.get("name", ""), actor_id=me().id, now=now())
        flash(gettext("The team is now called %(name)s.", name=team.name), "success")
    return _back(slug, offering_id)


@blueprint.post("/staff/<slug>/competition/<int:offering_id>/rulings")
def rule(slug: str, offering_id: int) -> ResponseReturnValue:
    """Disqualify a team or one of its entries, or take that back."""
    competition = _competition(slug, offering_id)
    entry_id = request.form.get("entry") or None
    disqualified = request.form.get("what") != "undo"
    with writing() as session:
        teams.lock(session, offering_id)
        team = _team(session, competition, request.form.get("team", ""))
        roll = teams.roll_of(session, offering_id)
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
    session, offering = db_session(), competition.offering
    page = page_of(session, competition, None, is_staff=True, now=now())
    roll = teams.roll_of(session, offering.id)
    by_team = entries.entries_by_team(session, roll, offering.id)
    listed = []
    for team in sorted(roll.teams.values(), key=lambda one: one.name.casefold()):
        if team.merged_into_id is not None:
            continue
        made = by_team.get(team.id, [])
        history = own_history(competition, page.struck, made)
        shown = [step.shown for step in history if step.shown is not None]
        listed.append(
            StaffTeam(
                team=team,
                members=roll.members[team.id],
                entries=tuple(made),
                number=shown[-1] if shown else None,
                struck=page.struck.teams.get(team.id),
            )
        )
    return render_template(
        "competition/staff.html",
        term=term,
        offering=offering,
        page=page,
        rules=competition.rules,
        zone=term.timezone,
        teams=listed,
        students=students(session, term.id),
        alone=[one for one in students(session, term.id) if one.id not in roll.place_of],
        has_ended=finish.has_ended(session, competition, now()),
        chips=CHIPS,
        max_reason=teams.MAX_REASON,
    )


def _competition(slug: str, offering_id: int) -> Competition:
    """Return a competition of the term to its staff; else 404."""
    term = staff_term(db_session(), slug)
    offering = db_session().get(Offering, offering_id)
    if offering is None or offering.term_id != term.id:
        abort(404)
    return require_competition(offering)


def _team(session: Session, competition: Competition, text: str) -> Team:
    """Return a team of the competition by the id that a form sends; else 404."""
    try:
        team = session.get(Team, row_id(text))
    except ValueError:
        raise Invalid(gettext("choose a team")) from None
    if team is None or team.offering_id != competition.offering.id:
        abort(404)
    return team


def _back(slug: str, offering_id: int) -> ResponseReturnValue:
    return redirect(url_for("competition_staff.show", slug=slug, offering=offering_id), 303)
