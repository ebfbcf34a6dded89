"""The competition as students meet it: the board, their team, their entries, their finals."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from grader.api import TableError, clean_line
from portal.audit.service import record
from portal.competition import entries, finals
from portal.competition.charts import history_chart
from portal.competition.models import CompetitionEntry
from portal.competition.opening import Competition, competition_of, judge_of
from portal.competition.page import own_history, page_of
from portal.competition.words import CHIPS, METRICS
from portal.courses.access import OfferingAccess, require_offering, require_role
from portal.courses.models import Enrolment, Offering
from portal.courses.policy import OfferingState
from portal.people.login import me
from portal.platform.errors import Invalid
from portal.platform.feature import rate
from portal.platform.language import gettext, ngettext
from portal.platform.security import limiter
from portal.platform.web import began, db_session, end_reading, now, portal, writing
from portal.teams import service as teams
from portal.teams.forms import invitation_as_sent

blueprint = Blueprint("competition", __name__)

_SHOWN_PROBLEMS = 6


@dataclass(frozen=True)
class Competitor:
    """A student in front of a competition."""

    access: OfferingAccess
    competition: Competition
    enrolment: Enrolment


@blueprint.get("/competitions/<int:offering_id>/")
def show(offering_id: int) -> ResponseReturnValue:
    """Show the board, and to a student their team, their entries and the form for the next."""
    return _page(offering_id)


@blueprint.post("/competitions/<int:offering_id>/entries")
@limiter.limit(lambda: rate("competition.enter"), key_func=lambda: f"enter:{me().id}")
def enter(offering_id: int) -> ResponseReturnValue:
    """Take a file of predictions; of a wrong one say every line and mend. It costs nothing."""
    who = _competitor(offering_id)
    session, key = db_session(), entries.client_key(request.form.get("client_key", ""))
    data, filename = _bytes_of(request.files.get("predictions"))
    digest = entries.digest_of_bytes(data)
    if entries.find_known(session, offering_id, who.enrolment.id, key, digest) is None:
        roll = teams.roll_of(session, offering_id)
        try:
            entries.check_allowed(session, who.access.offering, roll, who.enrolment.id, now=began())
        except Invalid as problem:
            return _refused(who, [str(problem)])
    try:
        sent = _judged(who, key, data, filename)
    except TableError as error:
        return _refused(who, [str(problem) for problem in error.problems])
    except Invalid as problem:
        return _refused(who, [str(problem)])
    try:
        with writing() as writer:
            enrolment = writer.get_one(Enrolment, who.enrolment.id)
            _, is_new = entries.book(writer, offering_id, enrolment, sent, now=began())
    except Invalid as problem:
        return _refused(who, [str(problem)])
    if is_new:
        flash(gettext("Taken. What the board tells of it stands in the table below."), "success")
    else:
        flash(gettext("This file had arrived before; nothing was added."), "info")
    return redirect(url_for("competition.show", offering_id=offering_id), 303)


@blueprint.post("/competitions/<int:offering_id>/finals")
def choose(offering_id: int) -> ResponseReturnValue:
    """Write down which entries the team wants to be ranked by."""
    who = _competitor(offering_id)
    wanted = request.form.getlist("final")
    with writing() as session:
        offering = teams.lock(session, offering_id)
        roll = teams.roll_of(session, offering_id)
        own = entries.allowance_of(session, offering, roll, who.enrolment.id, now=began())
        if own.conditions.state(began()) is not OfferingState.OPEN:
            raise Invalid(gettext("finals are chosen while the competition takes entries"))
        team = roll.team_of(who.enrolment.id)
        if team is None:
            abort(404)
        mine = entries.entries_of(session, roll, team)
        history = own_history(who.competition, entries.struck_in(session, roll), mine)
        finals.choose(
            session,
            team,
            wanted,
            [step.entry for step in history],
            author=who.enrolment,
            now=now(),
        )
    said = ngettext("Saved: %(num)s final.", "Saved: %(num)s finals.", len(set(wanted)))
    flash(said if wanted else gettext("Saved: your finals are chosen by default."), "success")
    return redirect(url_for("competition.show", offering_id=offering_id) + "#entries", 303)


@blueprint.post("/competitions/<int:offering_id>/team/name")
def rename(offering_id: int) -> ResponseReturnValue:
    """Give one's team another name."""
    who = _competitor(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        own = session.get_one(Enrolment, who.enrolment.id)
        team = teams.rename_own(session, offering, own, request.form.get("name", ""), now=now())
        flash(gettext("Your team is now called %(name)s.", name=team.name), "success")
    return _back(offering_id)


@blueprint.post("/competitions/<int:offering_id>/team/invitations")
@limiter.limit(lambda: rate("competition.invite"), key_func=lambda: f"invite:{me().id}")
def invite(offering_id: int) -> ResponseReturnValue:
    """Ask a student of the term into one's team."""
    who = _competitor(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        author = session.get_one(Enrolment, who.enrolment.id)
        username = request.form.get("username", "")
        asking = teams.invite(session, offering, author, username, now=now())
        session.flush()
        name = session.get_one(Enrolment, asking.enrolment_id).user.display_name
    flash(gettext("%(name)s is asked. The team is formed once they accept.", name=name), "success")
    return _back(offering_id)


@blueprint.post("/competitions/<int:offering_id>/team/invitations/<int:invitation_id>")
def answer(offering_id: int, invitation_id: int) -> ResponseReturnValue:
    """Accept or decline an invitation, or withdraw one of one's own team."""
    who = _competitor(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        asking, accepts = invitation_as_sent(session, offering, invitation_id, who.enrolment.id)
        if accepts:
            roll = teams.roll_of(session, offering_id)
            both = {*roll.members_of(who.enrolment.id)}
            both |= {one.id for one in roll.members[asking.team_id]}
            used = entries.allowance_of_people(session, offering, roll, both, now=now())
            zone = ZoneInfo(offering.term.timezone)
            most = used.conditions.could_have_used(used.used_today, now(), zone)
            teams.accept(session, offering, asking, together=used.used_total, most=most, now=now())
            flash(gettext("You are in the team %(name)s now.", name=asking.team.name), "success")
        else:
            teams.decline(session, asking, who.enrolment, now=now())
            flash(gettext("The invitation is closed."), "info")
    return _back(offering_id)


@blueprint.post("/competitions/<int:offering_id>/team/leave")
def leave(offering_id: int) -> ResponseReturnValue:
    """Leave one's team."""
    who = _competitor(offering_id)
    with writing() as session:
        offering = teams.lock(session, offering_id)
        enrolment = session.get_one(Enrolment, who.enrolment.id)
        team = teams.leave(session, offering, enrolment, now=now())
        flash(gettext("You are alone now, as %(name)s.", name=team.name), "success")
    return _back(offering_id)


@blueprint.get("/competitions/entries/<uuid:entry_id>/predictions.csv")
def download(entry_id: uuid.UUID) -> ResponseReturnValue:
    """Send an entry back as it came, to its team and to staff."""
    return send_entry(_readable(entry_id), source=False)


def send_entry(entry: CompetitionEntry, *, source: bool) -> Response:
    """Return the file of an entry, or the source that was sent with it, to be saved."""
    digest = entry.source_sha256 if source else entry.sha256
    if digest is None:
        abort(404)
    kind, ending = ("application/zip", "zip") if source else ("text/csv", "csv")
    response = Response(portal().store.get(digest), mimetype=kind)
    name = f"entry-{entry.id[:8]}.{ending}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def require_competition(offering: Offering) -> Competition:
    """Return an offering as a competition; 404 if it is none."""
    competition = competition_of(portal().catalogue, offering)
    if competition is None:
        abort(404)
    return competition


def _page(offering_id: int, problems: Sequence[str] = ()) -> str:
    access = require_offering(db_session(), offering_id)
    competition = require_competition(access.offering)
    page = page_of(db_session(), competition, access.enrolment, is_staff=access.is_staff, now=now())
    return render_template(
        "competition/show.html",
        page=page,
        offering=access.offering,
        rules=competition.rules,
        zone=access.offering.term.timezone,
        is_staff=access.is_staff,
        problems=problems[:_SHOWN_PROBLEMS],
        more_problems=len(problems) > _SHOWN_PROBLEMS,
        chips=CHIPS,
        metric=METRICS[competition.rules.metric.value],
        chart=history_chart(competition, page.own.history) if page.own else None,
        most_points=competition.in_term(competition.rules.most),
        least_points=competition.in_term(competition.rules.least),
        below_points=competition.in_term(competition.rules.below_baseline),
    )


def _competitor(offering_id: int) -> Competitor:
    """Return the logged-in student and the competition; 404 for staff, who take no part."""
    access = require_offering(db_session(), offering_id)
    competition = require_competition(access.offering)
    if access.enrolment is None or access.is_staff:
        abort(404)
    return Competitor(access, competition, access.enrolment)


def _judged(who: Competitor, key: str, data: bytes, filename: str) -> entries.SentEntry:
    """Read and score what was sent, and put it into the store.

    Raises TableError with every mistake in the file, and Invalid for anything else.
    """
    if not filename:
        raise Invalid(gettext("no file was chosen; choose your predictions"))
    source, source_name = _bytes_of(request.files.get("source"))
    if source_name and not source.startswith(entries.ZIP_STARTS):
        raise Invalid(gettext("the source is no zip; pack your code into one"))
    limit = who.competition.lab.assignment.limits.upload_mb
    if len(data) + len(source) > limit * 1_000_000:
        raise Invalid(
            gettext("predictions and source have more than %(most)s MB", most=round(limit, 1))
        )
    judge = judge_of(portal().config, who.competition)
    scores = judge.scores(judge.read(data))
    store = portal().store
    return entries.SentEntry(
        client_key=key,
        filename=clean_line(filename, 200),
        sha256=store.put(data),
        size=len(data),
        scores=scores,
        judge_digest=judge.digest,
        source_sha256=store.put(source) if source_name else None,
        source_size=len(source) if source_name else None,
    )


def _bytes_of(sent: FileStorage | None) -> tuple[bytes, str]:
    if sent is None or not sent.filename:
        return b"", ""
    return sent.read(), sent.filename


def _refused(who: Competitor, problems: list[str]) -> ResponseReturnValue:
    """Say what is wrong on the page itself, and leave a line in the audit log."""
    with writing() as session:
        record(
            session,
            at=now(),
            actor_id=me().id,
            action="competition.refused",
            subject=f"offering:{who.access.offering.id}",
            problems=len(problems),
        )
    end_reading()
    return _page(who.access.offering.id, problems), 422


def _readable(entry_id: uuid.UUID) -> CompetitionEntry:
    """Return an entry to the members of its team and to staff; else 404."""
    session = db_session()
    entry = session.get(CompetitionEntry, str(entry_id))
    if entry is None:
        abort(404)
    access = require_offering(session, entry.offering_id)
    roll = teams.roll_of(session, entry.offering_id)
    team = roll.team_of(access.enrolment.id) if access.enrolment else None
    if team is None or team.id != roll.root(entry.team_id):
        require_role(session, access.offering.term_id)
    return entry


def _back(offering_id: int) -> ResponseReturnValue:
    return redirect(url_for("competition.show", offering_id=offering_id) + "#team", 303)
