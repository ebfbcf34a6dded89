"""The queue of re-runs: what is put there, in which order it is made, and what is cancelled."""

import pytest
from sqlalchemy import select
from support.reruns import said

from grader.api import Verdict
from portal.competition import reruns
from portal.competition.reruns import Made
from portal.courses.models import Offering, OfferingKind
from portal.platform.db import write_session
from portal.runs.claims import GRADINGS
from portal.runs.reconcile import reconcile


@pytest.fixture
def arena(ring):
    return ring


def owed(jobs):
    return [job.run_id for job in jobs.pending_of()]


def by_name(ring, verdicts, **values):
    """Return a way to run that says this of each person's entry."""
    whose = {entry.sha256 + (entry.source_sha256 or ""): entry for entry in ring.entries()}

    def run(_parts, order):
        entry = whose[order.sha256 + order.source_sha256]
        return said(verdicts[entry.enrolment_id], **values)

    return run


def test_one_after_another_and_each_once(over, tess, jobs):
    over.press(tess)
    ids = [one.id for one in over.reruns()]
    assert [job.run_id for job in jobs.pending_of()] == ids[:1]
    done = over.work(jobs, lambda *_: said(Verdict.HOLDS))
    assert done == ids
    assert [one.fence for one in over.reruns()] == [1, 1, 1]
    assert "3 are not: they wait or run already, or held before" in over.press(tess)
    assert len(over.reruns()) == 3


def test_the_best_are_those_of_the_preview_and_as_many_as_asked(over, tess):
    assert "1 entry is queued." in over.press(tess, count="1")
    assert over.names() == ["eve"]
    for count in ("0", "51", "-1", "many", ""):
        form = {"count": count, "entry": ""}
        assert "1 to 50" in over.press(tess, **form)
    assert "2 entries are queued." in over.press(tess), "eve waits already"
    assert sorted(over.names()[1:]) == ["ada", "bo"]


def test_what_holds_is_run_again_only_if_asked_and_a_fault_once_more(over, tess, jobs):
    over.press(tess)
    eve = over.entries()[0]
    verdicts = {one.enrolment_id: Verdict.HOLDS for one in over.entries()}
    over.work(jobs, by_name(over, verdicts | {eve.enrolment_id: Verdict.FAULT}))
    assert "1 entry is queued." in over.press(tess)
    assert over.names()[3:] == ["eve"] and over.reruns()[3].batch == 2
    assert "queued to be run again already" in over.press(tess, entry=eve.id)
    over.work(jobs, by_name(over, verdicts))
    assert "0 entries are queued." in over.press(tess)
    assert "Queued once more." in over.press(tess, entry=eve.id)
    assert "2 entries are queued." in over.press(tess, again="on")
    assert [one.batch for one in over.reruns()] == [1, 1, 1, 2, 3, 4, 4]


def test_nothing_is_queued_before_the_end_or_without_a_fresh_set(ring, tess, site):
    ring.enter("ada", ring.honest())
    assert "There is no fresh set to run sources on" in ring.press(tess)
    ring.install()
    assert "still takes entries" in ring.press(tess)
    assert 'id="reruns"' not in tess.get(ring.staff_address).text
    ring.end()
    assert 'id="reruns"' in tess.get(ring.staff_address).text
    assert ring.reruns() == []


def test_where_the_manifest_asks_for_a_gpu_sources_wait_for_one(over, tess, site, jobs):
    over.press(tess, count="1")
    manifest = site.config.home / "assignments" / "rings" / "assignment.toml"
    manifest.write_text(manifest.read_text().replace("[limits]", "gpu = true\n\n[limits]", 1))
    over.press(tess)
    assert [one.queue for one in over.reruns()] == ["cpu", "gpu", "gpu"]


def test_an_open_rerun_that_lost_its_job_gets_another_and_only_the_first(over, tess, site, jobs):
    over.press(tess)
    first = over.reruns()[0].id
    jobs.cancel([first])
    tables = [GRADINGS, reruns.RERUNS]
    mended = reconcile(site.engine, jobs, now=site.clock(), tables=tables)
    assert mended.enqueued == (first,)
    assert reconcile(site.engine, jobs, now=site.clock(), tables=tables).enqueued == ()


def test_what_waits_is_cancelled_and_the_next_is_owed_once(over, tess, jobs):
    page = over.press(tess)
    assert "Cancel the 3 that are queued" in page
    first, second, third = (one.id for one in over.reruns())
    page = over.cancel(tess, first)
    assert "1 is cancelled." in page and "0 of 3 are done. 1 was cancelled." in page
    assert over.states() == ["cancelled", "queued", "queued"] and owed(jobs) == [second]
    over.cancel(tess, third)
    assert owed(jobs) == [second], "it had its job already"
    assert over.work(jobs, lambda *_: said(Verdict.HOLDS)) == [second]
    assert over.states() == ["cancelled", "done", "cancelled"]
    assert "Nothing is cancelled" in over.cancel(tess, second)
    assert "that are queued" not in tess.get(over.staff_address).text
    assert over.reruns()[1].verdict is Verdict.HOLDS


def test_what_a_worker_has_goes_on_and_the_rest_is_cancelled(over, tess, jobs, site):
    over.press(tess)
    first = over.reruns()[0].id
    with write_session(site.engine) as session:
        held = reruns.claim(session, jobs, first, executor="w", now=site.clock())
    assert "Nothing is cancelled" in over.cancel(tess, first)
    assert "2 are cancelled." in over.cancel(tess)
    assert over.states() == ["running", "cancelled", "cancelled"]
    with write_session(site.engine) as session:
        assert reruns.finish(session, jobs, held, Made(said(Verdict.HOLDS)), now=site.clock())
    assert over.states() == ["done", "cancelled", "cancelled"] and owed(jobs) == [first]


def test_a_cancelled_one_is_owed_no_delivery(over, tess, site, jobs):
    over.press(tess)
    first, second, _ = (one.id for one in over.reruns())
    over.cancel(tess, first)
    jobs.cancel([second])
    tables = [GRADINGS, reruns.RERUNS]
    assert reconcile(site.engine, jobs, now=site.clock(), tables=tables).enqueued == (second,)


def test_only_staff_of_the_term_cancel_and_nothing_of_another_competition(over, tess, site):
    over.press(tess)
    place = f"{over.staff_address}/{over.offering_id}/reruns/cancel"
    assert site.log_in("ada").post(place).status_code == 404
    assert tess.post(place, data={"rerun": "nope"}).status_code == 404
    other = site.make_term("2027-spring")
    site.make_member("otto", "ta", term=other)
    assert site.log_in("otto").post(place).status_code == 404
    assert over.states() == ["queued"] * 3
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
    assert over.states() == ["queued"] * 3
