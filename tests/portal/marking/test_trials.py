"""A regrade is tried first: nothing moves until somebody lets it count, and then once."""

import re
import uuid
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from support.reports import class_report

from grader.lab.catalogue import Catalogue
from portal.audit.models import AuditEntry
from portal.marking.models import TrialRun
from portal.platform.db import read_session, write_session
from portal.runs import service
from portal.runs.models import GradingRun, RunState
from portal.runs.speaking import current_runs
from portal.runs.suites import digest_of
from portal.standings.keeping import rebuild
from portal.standings.models import StudentStanding
from portal.submissions.models import Submission

REGRADE = "/staff/2026-autumn/submissions/regrade"
TRIALS = "/staff/2026-autumn/submissions/trials"


@dataclass
class Trials:
    """A class of three with five attempts, one of which waits, and who may try a regrade."""

    site: object
    tess: object
    sent: list[str]

    def form(self, which="outdated", query=""):
        page = self.tess.get(REGRADE + query).text
        (one,) = [form for form in page.split("<form")[1:] if f'value="{which}"' in form]
        return dict(re.findall(r'name="(\w+)" value="([^"]*)"', one))

    def begin(self, which="outdated", query=""):
        answer = self.tess.post(TRIALS, data=self.form(which, query))
        assert answer.status_code == 303
        return answer.location

    def runs(self):
        """Return the trial's runs by submission."""
        with read_session(self.site.engine) as session:
            query = select(GradingRun).join(TrialRun, TrialRun.run_id == GradingRun.id)
            return {run.submission_id: run for run in session.scalars(query)}

    def grade(self, submission_id, score):
        """End a run of the trial as a worker would; None: with a fault of ours."""
        run, now = self.runs()[submission_id], self.site.clock()
        with write_session(self.site.engine) as session:
            if score is None:
                session.get_one(GradingRun, run.id).state = RunState.NEEDS_HUMAN
                return
            held = service.claim(session, run.id, executor="w", now=now)
            assert service.finish(session, held, class_report(score, "AssertionError"), now=now)

    def standings(self):
        with read_session(self.site.engine) as session:
            found = session.scalars(select(StudentStanding)).all()
            return {one.enrolment_id: one.facts() for one in found}

    def seen(self):
        """Return whatever a student, the gradebook and the inbox show, and the rows beneath."""
        pages = [self.standings()]
        for name, numbers in (
            ("ada", self.sent[:2]),
            ("bo", self.sent[2:4]),
            ("cy", self.sent[4:]),
        ):
            browser = self.site.log_in(name)
            pages.append(browser.get(f"/labs/{self.site.offering_id}/").text)
            for number in numbers:
                for end in ("", "/progress", "/explain", "/receipt"):
                    pages.append(browser.get(f"/submissions/{number}{end}").text)
        for end in ("gradebook", "gradebook.csv", "inbox", "submissions", "dashboard"):
            pages.append(self.tess.get(f"/staff/2026-autumn/{end}").text)
        # Keys of forms and scripts are new in each page; they stand in its tags.
        return [pages[0], *(re.sub(r"<[^>]*>", " ", page) for page in pages[1:])]

    def actions(self):
        with read_session(self.site.engine) as session:
            return [
                entry
                for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))
                if entry.action.startswith("trial.")
            ]


@pytest.fixture
def trials(site, classroom):
    """Four graded attempts, 7 and 3 of Ada, 5 and 6 of Bo; Cy's waits."""
    ada, bo, cy = (classroom.enrol(name) for name in ("ada", "bo", "cy"))
    site.make_member("tess", "ta")
    sent = [
        *classroom.send(ada, 7.0, 3.0),
        *classroom.send(bo, 5.0, 6.0),
        *classroom.send(cy, None),
    ]
    site.clock.advance(minutes=6)
    return Trials(site, site.log_in("tess"), sent)


def rows_of(page):
    """Return the cells of the table, without their tags."""
    body = page.split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in body.split("<tr>")[1:]]
    return [[re.sub(r"<[^>]*>|\s+", " ", cell).split() for cell in row] for row in cells]


def count_form(page, which):
    found = [form for form in page.split("<form")[1:] if f'value="{which}"' in form]
    return dict(re.findall(r'name="(which|count)" value="([^"]*)"', found[0])) if found else None


def test_a_trial_changes_nothing_that_anybody_sees(site, trials):
    before = trials.seen()
    trials.begin()
    runs = trials.runs()
    assert set(runs) == set(trials.sent[:4]), "what waits is left alone"
    assert all(run.priority >= service.PRIORITY_TRIAL and not run.speaks for run in runs.values())
    assert trials.seen() == before, "while it waits"
    for number, score in zip(trials.sent, (14.0, 1.0, None, 6.0), strict=False):
        trials.grade(number, score)
    assert trials.seen() == before, "when it has ended"
    assert rebuild(site.engine) == []


def test_a_trial_keeps_nobody_from_handing_in_or_being_regraded(site, trials, classroom):
    trials.begin()
    with read_session(site.engine) as session:
        ada = session.get_one(Submission, trials.sent[0]).enrolment_id
        assert service._open_runs_of_user(session, ada) == 0, "their uploads wait no longer for it"
    form = {"key": str(uuid.uuid4())}
    answer = trials.tess.post(f"/staff/submissions/{trials.sent[0]}/regrade", data=form)
    assert answer.status_code == 303
    with read_session(site.engine) as session:
        run = session.scalars(
            select(GradingRun).where(GradingRun.reason_key == f"regrade:{form['key']}")
        ).one()
        assert run.speaks and run.submission_id == trials.sent[0]


def test_the_page_says_as_it_goes_on_who_would_change(site, trials):
    address = trials.begin()
    page = trials.tess.get(address).text
    assert "0 of 4 graded anew" in page and f"{address}/progress" in page and "live.js" in page
    assert count_form(page, "all") is None, "nothing can count before the end"
    trials.grade(trials.sent[0], 8.0)
    told = trials.tess.get(f"{address}/progress").json
    assert (told["done"], told["total"], told["final"]) == (1, 4, False)
    assert told["text"] == "1 of 4 graded anew. 1 of 4 would change."
    trials.grade(trials.sent[1], 14.0)
    trials.grade(trials.sent[2], 5.0)
    trials.grade(trials.sent[3], None)
    assert trials.tess.get(f"{address}/progress").json["final"] is True
    page = trials.tess.get(address).text
    assert "3 of 4 graded anew. 2 of 4 would change. 1 needs a person." in page
    rows = rows_of(page)
    assert [row[0][0] for row in rows] == ["Ada", "Ada", "Bo"], "the greatest change first"
    assert rows[0][2:6] == [["2"], ["3", "/", "14"], ["14", "/", "14"], ["+11"]]
    assert "second" in rows[0][6] and rows[1][5:7] == [["+1"], ["–"]]
    assert "fault" in rows[2][4]
    assert "live.js" not in page


def test_staff_read_the_old_report_and_the_new_one_and_students_neither(site, trials):
    trials.begin()
    trials.grade(trials.sent[0], 9.0)
    new = trials.runs()[trials.sent[0]]
    with read_session(site.engine) as session:
        old = current_runs(session, trials.sent)[trials.sent[0]]
    for run, points in ((old, "<b>7</b>"), (new, "<b>9</b>")):
        page = trials.tess.get(f"/staff/runs/{run.id}")
        assert page.status_code == 200 and points in page.text
        assert site.log_in("ada").get(f"/staff/runs/{run.id}").status_code == 404
    with read_session(site.engine) as session:
        seen = session.scalars(select(AuditEntry).where(AuditEntry.action == "submission.view"))
        assert [one.detail.get("run") for one in seen] == [old.id, new.id]


def ended(trials):
    """Return the page of a trial that has ended: Ada's would gain 7 and lose 2, Bo's stay."""
    address = trials.begin()
    for number, score in zip(trials.sent, (14.0, 1.0, 5.0, 6.0), strict=False):
        trials.grade(number, score)
    return address


def test_those_that_change_count_and_standings_follow(site, trials):
    address = ended(trials)
    form = count_form(trials.tess.get(address).text, "changing")
    assert form == {"which": "changing", "count": "2"}
    form["reason"] = "The second test was wrong"
    assert trials.tess.post(f"{address}/count", data=form).status_code == 303
    assert {number for number, run in trials.runs().items() if run.speaks} == set(trials.sent[:2])
    with read_session(site.engine) as session:
        ada = session.get_one(Submission, trials.sent[0]).enrolment_id
    assert trials.standings()[ada]["by_tests"] == 14
    assert rebuild(site.engine) == []
    result = site.log_in("ada").get(f"/submissions/{trials.sent[0]}").text
    assert "14" in result and "test_second" not in result
    begin, apply = trials.actions()
    assert (begin.action, begin.detail["submissions"]) == ("trial.begin", 4)
    assert apply.detail["submissions"] == 2 and apply.detail["reason"] == form["reason"]
    page = trials.tess.get(address).text
    assert "2 runs of it count, by Tess" in page and form["reason"] in page
    assert rows_of(page)[0][3:6] == [["7", "/", "14"], ["14", "/", "14"], ["+7"]]
    assert count_form(page, "all") is None
    again = trials.tess.post(f"{address}/count", data=form)
    assert again.status_code == 422 and "already" in again.text
    assert len(trials.actions()) == 2


def test_all_of_a_trial_can_count(site, trials):
    address = ended(trials)
    form = count_form(trials.tess.get(address).text, "all") | {"reason": "Same tests, anew"}
    assert form["count"] == "4"
    assert trials.tess.post(f"{address}/count", data=form).status_code == 303
    assert all(run.speaks for run in trials.runs().values())
    assert rebuild(site.engine) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"reason": " "}, "Say why"),
        ({"reason": "x" * 4001}, "shorten it"),
        ({"count": "3"}, "Meanwhile"),
    ],
    ids=["no-reason", "long-reason", "another-number"],
)
def test_nothing_counts_without_a_reason_or_by_an_old_page(trials, change, said):
    address = ended(trials)
    form = {"which": "all", "count": "4", "reason": "Fine"} | change
    answer = trials.tess.post(f"{address}/count", data=form)
    assert answer.status_code == 422 and said in answer.text
    assert not any(run.speaks for run in trials.runs().values())


def test_a_trial_by_other_tests_than_todays_is_stale(site, trials, home):
    address = ended(trials)
    (home / "reference" / "demo" / "answer.py").write_text("def answer():\n    return 43\n")
    page = trials.tess.get(address).text
    assert "It is stale and cannot count" in page and count_form(page, "all") is None
    form = {"which": "all", "count": "4", "reason": "Fine"}
    answer = trials.tess.post(f"{address}/count", data=form)
    assert answer.status_code == 422 and "tests have changed" in answer.text
    assert not any(run.speaks for run in trials.runs().values())


def test_a_trial_that_goes_on_does_not_count(trials):
    address = trials.begin()
    trials.grade(trials.sent[0], 14.0)
    form = {"which": "all", "count": "1", "reason": "Fine"}
    answer = trials.tess.post(f"{address}/count", data=form)
    assert answer.status_code == 422 and "still goes on" in answer.text


@pytest.mark.parametrize("finished", [False, True], ids=["waits", "graded"])
def test_what_was_regraded_since_is_left_alone(site, trials, finished):
    address = ended(trials)
    site.clock.advance(hours=1)
    form = {"key": str(uuid.uuid4())}
    trials.tess.post(f"/staff/submissions/{trials.sent[0]}/regrade", data=form)
    if finished:
        with read_session(site.engine) as session:
            key = f"regrade:{form['key']}"
            run = session.scalars(select(GradingRun).where(GradingRun.reason_key == key)).one()
        with write_session(site.engine) as session:
            held = service.claim(session, run.id, executor="w", now=site.clock())
            service.finish(session, held, class_report(10, ""), now=site.clock())
    page = trials.tess.get(address).text
    assert "1 submission was graded anew since" in page and "graded anew since" in page
    assert count_form(page, "changing")["count"] == "1"
    form = count_form(page, "all") | {"reason": "Fine"}
    assert form["count"] == "3"
    assert trials.tess.post(f"{address}/count", data=form).status_code == 303
    assert not trials.runs()[trials.sent[0]].speaks
    assert rebuild(site.engine) == []


def test_a_newer_attempt_is_told_and_keeps_what_it_has(site, trials, classroom):
    address = ended(trials)
    with read_session(site.engine) as session:
        ada = session.get_one(Submission, trials.sent[0]).enrolment
        session.expunge(ada)
    later = site.clock.advance(hours=1)
    (newest,) = classroom.send(ada, 2.0, at=later)
    page = trials.tess.get(address).text
    assert page.count("a newer attempt has come") == 2
    form = count_form(page, "all") | {"reason": "Fine"}
    assert form["count"] == "4"
    assert trials.tess.post(f"{address}/count", data=form).status_code == 303
    with read_session(site.engine) as session:
        assert current_runs(session, [newest])[newest].result.score == 2


def test_a_discarded_trial_is_taken_out_of_the_queue(site, trials):
    before = trials.standings()
    address = trials.begin()
    trials.grade(trials.sent[0], 14.0)
    assert trials.tess.post(f"{address}/discard").status_code == 303
    states = {run.state for number, run in trials.runs().items() if number != trials.sent[0]}
    assert states == {RunState.SUPERSEDED} and trials.standings() == before
    page = trials.tess.get(address).text
    assert "Discarded by Tess" in page and count_form(page, "all") is None
    form = {"which": "all", "count": "1", "reason": "Fine"}
    for end, data in (("count", form), ("discard", {})):
        answer = trials.tess.post(f"{address}/{end}", data=data)
        assert answer.status_code == 422 and "discarded" in answer.text
    assert [one.action for one in trials.actions()] == ["trial.begin", "trial.discard"]


def test_pressed_twice_a_trial_begins_once_and_the_regrade_page_leads_back(site, trials):
    form = trials.form()
    first, second = (trials.tess.post(TRIALS, data=form).location for _ in range(2))
    assert first == second and len(trials.runs()) == 4
    assert first in trials.tess.get(REGRADE).text
    wrong = trials.tess.post(TRIALS, data=form | {"count": "3", "key": str(uuid.uuid4())})
    assert wrong.status_code == 422 and "Meanwhile" in wrong.text


def test_a_trial_of_what_a_filter_finds_or_is_outdated(site, trials, home):
    with write_session(site.engine) as session:
        runs = current_runs(session, trials.sent)
        runs[trials.sent[3]].suite_digest = digest_of(Catalogue(home).get("demo"))
    trials.begin("outdated", "?student=bo")
    assert set(trials.runs()) == {trials.sent[2]}


def test_students_try_nothing(site, trials):
    address = ended(trials)
    ada = site.log_in("ada")
    form = {"which": "all", "count": "4", "reason": "Fine", "key": str(uuid.uuid4())}
    assert ada.post(TRIALS, data=form).status_code == 404
    for end in ("count", "discard"):
        assert ada.post(f"{address}/{end}", data=form).status_code == 404
    for end in ("", "/progress"):
        assert ada.get(f"{address}{end}").status_code == 404
