"""Re-runs from the portal: what they say, and what a worker may book."""

import html
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from support.reruns import beat, said

from grader.api import Verdict
from grader.errors import SandboxError
from portal.competition import rerunning, reruns
from portal.competition.models import RerunState
from portal.competition.rerunning import Reruns
from portal.competition.reruns import Made
from portal.platform.db import read_session, write_session
from portal.runs.service import LEASE, MAX_CLAIMS

HOSTILE = "ValueError: <b>\x1b[31mred</b>" + "x" * 5_000


@pytest.fixture
def arena(ring):
    return ring


def test_honest_and_leaked_entries_from_the_button_to_the_preview(over, tess, jobs):
    page = over.press(tess)
    assert "3 entries are queued." in page and "0 of 3 are done" in page
    assert re.search(r"No source came with the finals of: \S+", page)
    assert over.names()[0] == "eve", "the best claim first"
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


def test_a_fault_of_ours_is_never_said_against_a_team(over, tess, jobs):
    over.press(tess)

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
    over.press(tess, count="1")
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
    assert over.names() == []
    with write_session(site.engine) as session:
        session.query(type(mal)).filter_by(id=mal.id).update(
            {"source_sha256": site.store.put(b"PK\x03\x04 and nothing else")}
        )
    over.press(tess, count="1")
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


def test_a_rerun_says_on_which_set_it_was_made(over, tess, jobs):
    over.press(tess, count="1")
    over.install(fresh=over.sets[2])
    over.work(jobs, lambda *_: said(Verdict.HOLDS))
    installed = over.install(fresh=over.sets[2])
    assert [one.fresh for one in over.reruns()] == [installed.digest]
    assert "on an earlier fresh set" not in tess.get(over.staff_address).text
    over.install(fresh=over.sets[1])
    assert "on an earlier fresh set" in tess.get(over.staff_address).text


def test_a_lost_sandbox_after_a_bad_try_leaves_no_figures(over, tess, jobs):
    over.press(tess, count="1")
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
    over.press(tess, count="1")
    over.work(jobs)
    assert asked["minimum_tier"] == site.config.minimum_tier
    assert set(asked["conceal"]) == {site.config.instance, site.config.home / "reference"}
    (row,) = over.reruns()
    assert row.verdict is Verdict.FAULT and "tier 4 only" in row.detail


@pytest.fixture
def queued(over, tess, site, jobs):
    """The id of a re-run that waits, and a way to claim it as a worker."""
    over.press(tess, count="1")
    (row,) = over.reruns()

    def claim(executor, now):
        with write_session(site.engine) as session:
            return reruns.claim(session, jobs, row.id, executor=executor, now=now)

    return row.id, claim


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


def test_a_source_that_takes_down_every_worker_ends_as_a_fault_of_ours(queued, over, site):
    _, claim = queued
    for number in range(MAX_CLAIMS):
        assert claim(f"w{number}", site.clock()) is not None
    assert claim("last", site.clock()) is None
    (row,) = over.reruns()
    assert row.verdict is Verdict.FAULT and "none finished" in row.detail


def test_a_delivery_that_is_under_way_finds_a_cancelled_one_and_makes_nothing(queued, over, tess):
    rerun_id, claim = queued
    over.cancel(tess)
    assert claim("w", over.site.clock()) is None
    (row,) = over.reruns()
    assert (row.id, row.state, row.fence) == (rerun_id, RerunState.CANCELLED, 0)
