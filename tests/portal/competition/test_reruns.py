"""Re-runs from the portal: what is queued, in which order it is made, and what staff read of it."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from small_competition import HONEST
from sqlalchemy import select
from support.reruns import Ring, said

from grader.api import Verdict
from grader.errors import SandboxError
from portal.audit.models import AuditEntry
from portal.competition import rerunning, reruns
from portal.competition.models import CompetitionRerun, RerunState
from portal.competition.rerunning import Reruns
from portal.competition.reruns import Made
from portal.courses.models import Offering, OfferingKind
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.platform.engine import GPU_QUEUE, DbosEngine
from portal.runs import service
from portal.runs.claims import GRADINGS
from portal.runs.reconcile import reconcile
from portal.runs.service import LEASE, MAX_CLAIMS

STILL = "Grading stands still"
HOSTILE = "ValueError: <b>\x1b[31mred</b>" + "x" * 5_000


@pytest.fixture
def ring(site, tmp_path):
    return Ring(site, tmp_path)


@pytest.fixture
def tess(ring, site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def jobs(site):
    jobs = DbosEngine(site.config.database_url)
    yield jobs
    jobs.close()


@pytest.fixture
def over(ring):
    """A competition that is over: eve claims most, then ada and bo alike; cy sent no source."""
    ring.enter("eve", ring.leaked())
    ring.enter("ada", ring.honest())
    ring.enter("bo", ring.honest(), HONEST.replace("1.9", "1.89"))
    ring.enter("cy", ring.honest(), None)
    ring.install()
    ring.end()
    return ring


def press(ring, staff, **form):
    """Press the button, and return the page that comes."""
    form.setdefault("count", "10")
    place = f"{ring.staff_address}/{ring.offering_id}/reruns"
    answer = staff.post(place, data={key: value for key, value in form.items() if value})
    return staff.get(answer.location).text if answer.status_code == 303 else answer.text


def names(ring):
    """Return whose entry each re-run is of."""
    with read_session(ring.site.engine) as session:
        rows = session.scalars(select(CompetitionRerun).order_by(CompetitionRerun.number))
        return [row.entry.enrolment.user.username for row in rows]


def by_name(ring, verdicts, **values):
    """Return a way to run that says this of each person's entry."""
    whose = {entry.sha256 + (entry.source_sha256 or ""): entry for entry in ring.entries()}

    def run(_parts, order):
        entry = whose[order.sha256 + order.source_sha256]
        return said(verdicts[entry.enrolment_id], **values)

    return run


def test_honest_and_leaked_entries_from_the_button_to_the_preview(over, tess, jobs):
    page = press(over, tess)
    assert "3 entries are queued." in page and "0 of 3 are done" in page
    assert re.search(r"No source came with the finals of: \S+", page)
    assert names(over)[0] == "eve", "the best claim first"
    over.work(jobs)
    eve, *others = over.reruns()
    assert eve.verdict is Verdict.BELOW and eve.claim == 1.0 and eve.sds > 10
    assert (eve.tries, eve.fence, eve.state) == (3, 1, RerunState.DONE)
    assert [one.verdict for one in others] == [Verdict.HOLDS, Verdict.HOLDS]
    assert all(one.tries == 1 and one.cpu_seconds > 0 and abs(one.sds) < 3 for one in others)

    page = tess.get(over.staff_address).text
    assert "3 of 3 are done" in page and "below its claim" in page
    reason = html.unescape(re.search(r'value="(Run again from source[^"]*)"', page)[1])
    assert f"{eve.again:.4f} where 1.0000 was claimed" in reason
    assert "below with each of 3 seeds" in reason
    preview = tess.get(f"{over.staff_address}/{over.offering_id}/result").text
    assert "did not come to what they claim" in preview
    assert "1 final was not run again;" in preview and "no: it has no source" in preview

    ruling = {"team": eve.entry.team_id, "entry": eve.entry_id, "reason": reason}
    place = f"{over.staff_address}/{over.offering_id}/rulings"
    assert tess.post(place, data=ruling | {"what": "disqualify"}).status_code == 303
    assert "Take back</button>" in tess.get(over.staff_address).text
    preview = tess.get(f"{over.staff_address}/{over.offering_id}/result").text
    assert "did not come to what they claim" not in preview


def test_one_after_another_and_each_once(over, tess, jobs):
    press(over, tess)
    ids = [one.id for one in over.reruns()]
    assert [job.run_id for job in jobs.pending_of()] == ids[:1]
    done = over.work(jobs, lambda *_: said(Verdict.HOLDS))
    assert done == ids
    assert [one.fence for one in over.reruns()] == [1, 1, 1]
    assert "3 are not: they wait or run already, or held before" in press(over, tess)
    assert len(over.reruns()) == 3


def test_the_best_are_those_of_the_preview_and_as_many_as_asked(over, tess):
    assert "1 entry is queued." in press(over, tess, count="1")
    assert names(over) == ["eve"]
    for count in ("0", "51", "-1", "many", ""):
        form = {"count": count, "entry": ""}
        assert "1 to 50" in press(over, tess, **form)
    assert "2 entries are queued." in press(over, tess), "eve waits already"
    assert sorted(names(over)[1:]) == ["ada", "bo"]


def test_what_holds_is_run_again_only_if_asked_and_a_fault_once_more(over, tess, jobs):
    press(over, tess)
    eve = over.entries()[0]
    verdicts = {one.enrolment_id: Verdict.HOLDS for one in over.entries()}
    over.work(jobs, by_name(over, verdicts | {eve.enrolment_id: Verdict.FAULT}))
    assert "1 entry is queued." in press(over, tess)
    assert names(over)[3:] == ["eve"] and over.reruns()[3].batch == 2
    assert "queued to be run again already" in press(over, tess, entry=eve.id)
    over.work(jobs, by_name(over, verdicts))
    assert "0 entries are queued." in press(over, tess)
    assert "Queued once more." in press(over, tess, entry=eve.id)
    assert "2 entries are queued." in press(over, tess, again="on")
    assert [one.batch for one in over.reruns()] == [1, 1, 1, 2, 3, 4, 4]


def test_a_fault_of_ours_is_never_said_against_a_team(over, tess, jobs):
    press(over, tess)

    def broken(*_):
        raise OSError("the disk is full")

    over.work(jobs, broken)
    assert {one.verdict for one in over.reruns()} == {Verdict.FAULT}
    page = tess.get(over.staff_address).text
    assert "a fault of ours" in page and "OSError: the disk is full" in page
    table = page[page.index('id="reruns"') : page.index('id="teams-title"')]
    assert table.count("Queue again") == 3 and "Disqualify" not in table
    preview = tess.get(f"{over.staff_address}/{over.offering_id}/result").text
    assert "4 finals were not run again;" in preview
    assert "did not come to what they claim" not in preview


def test_what_a_source_says_is_cleaned_cut_and_escaped(over, tess, jobs):
    press(over, tess, count="1")
    over.work(jobs, lambda *_: said(Verdict.FAILED, detail=HOSTILE))
    (row,) = over.reruns()
    assert "\x1b" not in row.detail and len(row.detail) < 2_100
    page = tess.get(over.staff_address).text
    assert "&lt;b&gt;" in page and "<b>\x1b" not in page and "<b>red" not in page
    assert "The source that came with it failed when it was run again." in page


def test_a_source_that_cannot_be_read_is_refused_and_predictions_that_do_not_fit_are_ours(
    over, tess, jobs, site
):
    mal = over.entries()[0]
    assert names(over) == []
    with write_session(site.engine) as session:
        session.query(type(mal)).filter_by(id=mal.id).update(
            {"source_sha256": site.store.put(b"PK\x03\x04 and nothing else")}
        )
    press(over, tess, count="1")
    over.work(jobs)
    (row,) = over.reruns()
    assert row.verdict is Verdict.REFUSED and row.detail
    with write_session(site.engine) as session:
        session.query(type(mal)).filter_by(id=mal.id).update(
            {"sha256": site.store.put(b"id,ring\nr0000,inner\n")}
        )
    with read_session(site.engine) as session:
        order = Reruns(over.parts(jobs))._order(mal.id)
    with pytest.raises(LookupError, match="no longer fit the labels"):
        Reruns(over.parts(jobs))._run(over.parts(jobs), order)


def test_nothing_is_queued_before_the_end_or_without_a_fresh_set(ring, tess, site):
    ring.enter("ada", ring.honest())
    assert "There is no fresh set to run sources on" in press(ring, tess)
    ring.install()
    assert "still takes entries" in press(ring, tess)
    assert 'id="reruns"' not in tess.get(ring.staff_address).text
    ring.end()
    assert 'id="reruns"' in tess.get(ring.staff_address).text
    assert ring.reruns() == []


def cancel(ring, staff, rerun_id=None):
    """Cancel one that waits, or all; return the page that comes."""
    place = f"{ring.staff_address}/{ring.offering_id}/reruns/cancel"
    answer = staff.post(place, data={} if rerun_id is None else {"rerun": rerun_id})
    return staff.get(answer.location).text if answer.status_code == 303 else answer.text


def states(ring):
    return [one.state.value for one in ring.reruns()]


def owed(jobs):
    return [job.run_id for job in jobs.pending_of()]


def test_what_waits_is_cancelled_and_the_next_is_owed_once(over, tess, jobs):
    page = press(over, tess)
    assert "Cancel the 3 that are queued" in page
    first, second, third = (one.id for one in over.reruns())
    page = cancel(over, tess, first)
    assert "1 is cancelled." in page and "0 of 3 are done. 1 was cancelled." in page
    assert states(over) == ["cancelled", "queued", "queued"] and owed(jobs) == [second]
    cancel(over, tess, third)
    assert owed(jobs) == [second], "it had its job already"
    assert over.work(jobs, lambda *_: said(Verdict.HOLDS)) == [second]
    assert states(over) == ["cancelled", "done", "cancelled"]
    assert "Nothing is cancelled" in cancel(over, tess, second)
    assert "that are queued" not in tess.get(over.staff_address).text
    assert over.reruns()[1].verdict is Verdict.HOLDS


def test_what_a_worker_has_goes_on_and_the_rest_is_cancelled(over, tess, jobs, site):
    press(over, tess)
    first = over.reruns()[0].id
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    assert "Nothing is cancelled" in cancel(over, tess, first)
    assert "2 are cancelled." in cancel(over, tess)
    assert states(over) == ["running", "cancelled", "cancelled"]
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    assert states(over) == ["done", "cancelled", "cancelled"] and owed(jobs) == [first]


def test_a_delivery_that_is_under_way_finds_a_cancelled_one_and_makes_nothing(queued, over, tess):
    rerun_id, claim = queued
    cancel(over, tess)
    assert claim("w", over.site.clock()) is None
    (row,) = over.reruns()
    assert (row.id, row.state, row.fence) == (rerun_id, RerunState.CANCELLED, 0)


def test_a_cancelled_one_is_told_as_such_and_may_be_queued_again(over, tess, jobs):
    press(over, tess, count="1")
    cancel(over, tess)
    preview = tess.get(f"{over.staff_address}/{over.offering_id}/result").text
    assert "4 finals were not run again;" in preview and "cancelled</span>" in preview
    assert "Queue again" in tess.get(over.staff_address).text
    assert "Queued once more." in press(over, tess, entry=over.entries()[0].id)
    assert states(over) == ["cancelled", "queued"]
    assert [one.number for one in over.reruns()] == [1, 2]
    assert over.work(jobs, lambda *_: said(Verdict.HOLDS)) == [over.reruns()[1].id]


def test_cancelling_another_try_does_not_hide_what_the_one_before_found(over, tess, jobs):
    press(over, tess, count="1")
    over.work(jobs, lambda *_: said(Verdict.BELOW))
    press(over, tess, entry=over.entries()[0].id)
    address = f"{over.staff_address}/{over.offering_id}/result"
    against = "did not come to what they claim"
    assert against not in tess.get(address).text, "it is being made again"
    cancel(over, tess)
    assert against in tess.get(address).text and "below its claim" in tess.get(address).text
    page = tess.get(over.staff_address).text
    assert "Run again from source on fresh rows" in page, "the reason to disqualify"
    assert page.count("Queue again") == 1


def test_only_staff_of_the_term_cancel_and_nothing_of_another_competition(over, tess, site):
    press(over, tess)
    place = f"{over.staff_address}/{over.offering_id}/reruns/cancel"
    assert site.log_in("ada").post(place).status_code == 404
    assert tess.post(place, data={"rerun": "nope"}).status_code == 404
    other = site.make_term("2027-spring")
    site.make_member("otto", "ta", term=other)
    assert site.log_in("otto").post(place).status_code == 404
    assert states(over) == ["queued"] * 3
    with write_session(site.engine) as session:
        wanted = select(Offering).where(
            Offering.term_id == other.id, Offering.kind == OfferingKind.COMPETITION
        )
        there = session.scalars(wanted).one()
        there.assignment_slug, there.published = "rings", True
        foreign = f"/staff/{other.slug}/competition/{there.id}/reruns/cancel"
    otto = site.log_in("otto")
    assert otto.post(foreign, data={"rerun": over.reruns()[0].id}).status_code == 404
    assert otto.post(foreign).status_code == 303, "nothing waits there"
    assert states(over) == ["queued"] * 3


def test_the_history_says_who_cancelled_what(over, tess, site):
    press(over, tess, count="2")
    cancel(over, tess)
    cancel(over, tess)
    with read_session(site.engine) as session:
        query = select(AuditEntry).where(AuditEntry.action == "competition.rerun_cancel")
        entry = session.scalars(query).one()
        assert session.get_one(User, entry.actor_id).username == "tess"
        assert entry.detail["entries"] == [one.entry.number for one in over.reruns()]


def test_a_cancelled_one_is_owed_no_delivery(over, tess, site, jobs):
    press(over, tess)
    first, second, _ = (one.id for one in over.reruns())
    cancel(over, tess, first)
    jobs.cancel([second])
    tables = [GRADINGS, reruns.RERUNS]
    assert reconcile(site.engine, jobs, now=site.clock(), tables=tables).enqueued == (second,)


def test_staff_and_whatever_watches_hear_when_no_worker_takes_reruns(
    over, tess, site, client, jobs
):
    assert client.get("/healthz").status_code == 200
    press(over, tess)
    site.clock.advance(minutes=3)
    health = client.get("/healthz")
    assert health.status_code == 503 and "3 runs wait and no worker" in health.json["reason"]
    assert STILL in tess.get("/").text and STILL not in site.log_in("ada").get("/").text
    beat(site, "w", site.clock())
    assert client.get("/healthz").status_code == 200 and STILL not in tess.get("/").text
    site.clock.advance(minutes=3)
    cancel(over, tess)
    assert client.get("/healthz").status_code == 200, "nothing waits"


def test_the_inbox_names_reruns_that_nobody_takes_and_not_those_behind_one_that_runs(
    over, tess, site, jobs
):
    inbox = f"/staff/{site.term.slug}/inbox"
    press(over, tess)
    site.clock.advance(minutes=20)
    assert "Waiting for long" not in tess.get(inbox).text
    site.clock.advance(minutes=20)
    page = tess.get(inbox).text
    assert "Waiting for long" in page and ": 3 re-runs for 40 minutes" in page
    first, second, _ = (one.id for one in over.reruns())
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    site.clock.advance(minutes=50)
    assert "Waiting for long" not in tess.get(inbox).text, "one runs, the others wait for it"
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    site.clock.advance(minutes=20)
    assert "Waiting for long" not in tess.get(inbox).text, "its turn came only then"
    site.clock.advance(minutes=20)
    assert ": 2 re-runs for 40 minutes" in tess.get(inbox).text
    cancel(over, tess, second)
    assert ": 1 re-run for 40 minutes" in tess.get(inbox).text
    cancel(over, tess)
    assert "Waiting for long" not in tess.get(inbox).text


def test_staff_hear_of_reruns_without_a_gpu_and_not_of_those_behind_one_that_runs(
    over, tess, site, jobs
):
    def told():
        page = tess.get(f"/staff/{site.term.slug}/submissions").text
        found = re.search(r"(\d+) runs? ha\w+ waited for a machine with a GPU", page)
        return int(found[1]) if found else 0

    press(over, tess)
    site.clock.advance(minutes=11)
    assert told() == 0, "they wait for a processor"
    with write_session(site.engine) as session:
        session.query(CompetitionRerun).update({"queue": GPU_QUEUE})
    assert told() == 3
    first = over.reruns()[0].id
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    site.clock.advance(minutes=50)
    assert told() == 0, "one runs, the others wait for it"
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    site.clock.advance(minutes=9)
    assert told() == 0, "the next one's turn came only then"
    site.clock.advance(minutes=2)
    assert told() == 2
    cancel(over, tess, over.reruns()[1].id)
    assert told() == 1, "what is cancelled was nobody's turn"


def test_the_history_says_who_queued_what(over, tess, site):
    press(over, tess, count="2")
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "competition.rerun")
        ).one()
        assert session.get_one(User, entry.actor_id).username == "tess"
        assert entry.detail["entries"] == [one.entry.number for one in over.reruns()]


def test_a_rerun_says_on_which_set_it_was_made(over, tess, jobs):
    press(over, tess, count="1")
    over.install(fresh=over.sets[2])
    over.work(jobs, lambda *_: said(Verdict.HOLDS))
    installed = over.install(fresh=over.sets[2])
    assert [one.fresh for one in over.reruns()] == [installed.digest]
    assert "on an earlier fresh set" not in tess.get(over.staff_address).text
    over.install(fresh=over.sets[1])
    assert "on an earlier fresh set" in tess.get(over.staff_address).text


def test_a_lost_sandbox_after_a_bad_try_leaves_no_figures(over, tess, jobs):
    press(over, tess, count="1")
    worse = replace(said(Verdict.BELOW), verdict=Verdict.FAULT, detail="the sandbox was lost")
    over.work(jobs, lambda *_: worse)
    (row,) = over.reruns()
    assert (row.claim, row.again, row.sds) == (None, None, None)


def test_sources_run_in_the_tier_that_is_demanded_and_see_nothing_of_ours(
    over, tess, jobs, site, monkeypatch
):
    asked = {}

    class Weak:
        def __init__(self, _assignment, _rules, **options):
            asked.update(options)
            raise SandboxError("this machine has sandbox tier 4 only")

    monkeypatch.setattr(rerunning, "SourceRunner", Weak)
    press(over, tess, count="1")
    over.work(jobs)
    assert asked["minimum_tier"] == site.config.minimum_tier
    assert set(asked["conceal"]) == {site.config.instance, site.config.home / "reference"}
    (row,) = over.reruns()
    assert row.verdict is Verdict.FAULT and "tier 4 only" in row.detail


def test_where_the_manifest_asks_for_a_gpu_sources_wait_for_one(over, tess, site, jobs):
    press(over, tess, count="1")
    manifest = site.config.home / "assignments" / "rings" / "assignment.toml"
    manifest.write_text(manifest.read_text().replace("[limits]", "gpu = true\n\n[limits]", 1))
    press(over, tess)
    assert [one.queue for one in over.reruns()] == ["cpu", "gpu", "gpu"]


def test_the_page_says_when_no_worker_is_there(over, tess, site):
    assert "No worker is there" not in tess.get(over.staff_address).text
    assert "No worker is there" in press(over, tess)
    beat(site, "w", site.clock())
    assert "No worker is there" not in tess.get(over.staff_address).text


@pytest.fixture
def queued(over, tess, site, jobs):
    """The id of a re-run that waits, and a way to claim it as a worker."""
    press(over, tess, count="1")
    (row,) = over.reruns()

    def claim(executor, now):
        with write_session(site.engine) as session:
            return reruns.claim(session, jobs, row.id, executor=executor, now=now)

    return row.id, claim


def beat(site, executor, now):
    with write_session(site.engine) as session:
        service.beat(session, executor=executor, host="h", pid=1, now=now)


def test_what_a_lost_worker_held_is_delivered_again_and_written_once(queued, over, site, jobs):
    rerun_id, claim = queued
    now = site.clock()
    beat(site, "a", now)
    first = claim("a", now)
    assert claim("b", now) is None, "a lives"
    later = now + LEASE + timedelta(seconds=1)
    second = claim("b", later)
    assert (first.fence, second.fence) == (1, 2)
    with write_session(site.engine) as session:
        assert not reruns.finish(session, jobs, first, Made(said(Verdict.BELOW)), now=later)
        assert reruns.finish(session, jobs, second, Made(said(Verdict.HOLDS)), now=later)
        assert not reruns.finish(session, jobs, second, Made(said(Verdict.BELOW)), now=later)
    (row,) = over.reruns()
    assert (row.verdict, row.started_at, row.ended_at) == (Verdict.HOLDS, later, later)
    assert claim("c", later) is None, "it has ended"


def test_an_open_rerun_that_lost_its_job_gets_another_and_only_the_first(over, tess, site, jobs):
    press(over, tess)
    first = over.reruns()[0].id
    jobs.cancel([first])
    tables = [GRADINGS, reruns.RERUNS]
    mended = reconcile(site.engine, jobs, now=site.clock(), tables=tables)
    assert mended.enqueued == (first,)
    assert reconcile(site.engine, jobs, now=site.clock(), tables=tables).enqueued == ()


def test_a_source_that_takes_down_every_worker_ends_as_a_fault_of_ours(queued, over, site):
    _, claim = queued
    for number in range(MAX_CLAIMS):
        assert claim(f"w{number}", site.clock()) is not None
    assert claim("last", site.clock()) is None
    (row,) = over.reruns()
    assert row.verdict is Verdict.FAULT and "none finished" in row.detail
