"""Many submissions are graded anew at once: what it could change, each once, behind fresh ones."""

import io
import re
import uuid
import zipfile

import pytest
from sqlalchemy import select, update
from support.reports import class_report

from grader.intake.exports import find_hand_ins
from grader.lab.catalogue import Catalogue
from portal.audit.models import AuditEntry
from portal.platform.db import read_session, write_session
from portal.runs import service
from portal.runs.models import GradingRun, RunState
from portal.runs.speaking import current_runs
from portal.runs.suites import digest_of
from portal.submissions.models import Submission

REGRADE = "/staff/2026-autumn/submissions/regrade"


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def sent(site, classroom, home):
    """Five submissions: three graded by another suite, one by today's, one that still waits."""
    ada, bo = classroom.enrol("ada"), classroom.enrol("bo")
    numbers = [*classroom.send(ada, 7.0, 3.0), *classroom.send(bo, 5.0, 6.0, None)]
    with write_session(site.engine) as session:
        runs = current_runs(session, numbers)
        runs[numbers[3]].suite_digest = digest_of(Catalogue(home).get("demo"))
    return numbers


def queued(site):
    with read_session(site.engine) as session:
        return session.scalars(
            select(GradingRun).where(GradingRun.reason_key.startswith("regrade:"))
        ).all()


def form(page, which):
    (one,) = [form for form in page.split("<form")[1:] if f'value="{which}"' in form]
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', one))


def test_only_what_another_suite_graded_is_regraded_unless_all_is_asked_for(site, tess, sent):
    page = tess.get(REGRADE).text
    assert "4 submissions can be graded anew" in page and "3 of them were graded by another" in page
    fields = form(page, "outdated")
    assert tess.post(REGRADE, data=fields).status_code == 303
    assert {run.submission_id for run in queued(site)} == set(sent[:3])
    assert all(run.priority >= service.PRIORITY_REGRADE for run in queued(site))
    again = tess.post(REGRADE, data=fields)
    assert again.status_code == 422 and len(queued(site)) == 3, "nothing is queued twice"
    everything = form(tess.get(REGRADE).text, "all")
    assert everything["count"] == "1", "what waits is left alone"


def test_a_filter_bounds_what_is_regraded(site, tess, sent):
    page = tess.get(f"{REGRADE}?student=bo&state=graded").text
    assert "2 submissions can be graded anew" in page
    tess.post(REGRADE, data=form(page, "all"))
    assert {run.submission_id for run in queued(site)} == set(sent[2:4])


def test_what_came_meanwhile_is_not_swept_along(site, tess, sent, classroom):
    fields = form(tess.get(REGRADE).text, "outdated")
    classroom.send(classroom.enrol("cy"), 1.0)
    answer = tess.post(REGRADE, data=fields)
    assert answer.status_code == 422 and "Meanwhile" in answer.text and queued(site) == []


def test_a_form_without_its_key_queues_nothing(site, tess, sent):
    fields = form(tess.get(REGRADE).text, "outdated") | {"key": "x"}
    assert tess.post(REGRADE, data=fields).status_code == 422 and queued(site) == []


def test_students_regrade_nothing(site, sent):
    fields = {"which": "all", "count": "4", "key": str(uuid.uuid4())}
    assert site.log_in("ada").post(REGRADE, data=fields).status_code == 404
    assert queued(site) == []


def test_a_student_downloads_their_upload_and_nobody_elses(site, sent):
    answer = site.log_in("ada").get(f"/submissions/{sent[0]}/upload")
    assert answer.data == b"def answer():\n    return 42\n"
    assert answer.headers["Content-Disposition"] == "attachment; filename=answer.py"
    assert answer.mimetype == "application/octet-stream"
    assert site.log_in("bo").get(f"/submissions/{sent[0]}/upload").status_code == 404


def test_an_upload_with_a_chinese_name_is_sent_under_it(site, sent):
    with site.engine.begin() as connection:
        connection.execute(update(Submission).values(filename="实验 一.zip"))
    said = site.log_in("ada").get(f"/submissions/{sent[0]}/upload").headers["Content-Disposition"]
    assert said.isascii() and "%E5%AE%9E%E9%AA%8C%20%E4%B8%80.zip" in said


def test_a_run_that_needs_a_person_is_regraded(site, tess, sent):
    with write_session(site.engine) as session:
        run = current_runs(session, sent)[sent[4]]
        run.state = RunState.NEEDS_HUMAN
    assert "4 of them" in tess.get(REGRADE).text


def downloaded(browser, query=""):
    answer = browser.get(f"/staff/2026-autumn/submissions.zip{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Cache-Control"] == "private, no-store"
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_what_a_filter_finds_is_downloaded_as_the_grader_reads_a_class(
    site, tess, sent, home, tmp_path
):
    packed = downloaded(tess, f"?student=bo&offering={site.offering_id}")
    assert packed.namelist() == ["bo-1/answer.py", "bo-2/answer.py", "bo-3/answer.py"]
    assert packed.read("bo-1/answer.py") == b"def answer():\n    return 42\n"
    packed.extractall(tmp_path / "class")
    found = find_hand_ins([tmp_path / "class"], Catalogue(home).get("demo").assignment)
    assert [one.name for one in found.hand_ins] == ["bo-1", "bo-2", "bo-3"]
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "submission.download")
        ).one()
    assert entry.detail == {"submissions": 3} and entry.subject == "term:2026-autumn"


def test_uploads_of_several_labs_lie_apart_and_names_stay_in_their_folder(site, tess, sent):
    with site.engine.begin() as connection:
        connection.execute(update(Submission).values(filename="../../实验:1.zip"))
    names = downloaded(tess).namelist()
    assert len(names) == 5 and names[0] == f"lab-{site.offering_id}/ada-1/_.._实验_1.zip"


def test_an_upload_whose_bytes_are_gone_is_left_out(site, tess, sent):
    with site.engine.begin() as connection:
        gone = update(Submission).where(Submission.id == sent[0]).values(upload_sha256="0" * 64)
        connection.execute(gone)
    assert len(downloaded(tess).namelist()) == 4


def test_students_download_no_class(site, sent):
    assert site.log_in("ada").get("/staff/2026-autumn/submissions.zip").status_code == 404


def test_a_run_that_waits_or_goes_on_is_not_joined_by_another(site, tess, sent):
    address = f"/staff/submissions/{sent[0]}"
    for _ in range(2):  # two tabs: each with a key of its own
        form = {"key": str(uuid.uuid4())}
        assert tess.post(f"{address}/regrade", data=form).status_code == 303
    assert len(queued(site)) == 1
    page = tess.get(address).text
    assert "none was added" in page
    assert 'data-progress="' in page and "live.js" in page and f"{address}/regrade" not in page
    assert tess.get(f"{address}/progress").json["state"] == "queued"
    with write_session(site.engine) as session:
        run = session.scalars(
            select(GradingRun).where(GradingRun.reason_key.startswith("regrade:"))
        ).one()
        held = service.claim(session, run.id, executor="w", now=site.clock())
        assert service.finish(session, held, class_report(9, ""), now=site.clock())
    page = tess.get(address).text
    assert "live.js" not in page and f"{address}/regrade" in page
    assert tess.get(f"{address}/progress").json["final"] is True
    assert site.log_in("ada").get(f"{address}/progress").status_code == 404
