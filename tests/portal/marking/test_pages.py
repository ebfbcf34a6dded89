"""Staff see everything, students nothing, and nobody's text runs."""

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry
from portal.courses.models import Offering, OfferingKind
from portal.people.models import User
from portal.platform.db import read_session, write_session
from portal.platform.engine import prepare
from portal.runs.models import Event, EventKind, GradingRun, RunState
from portal.standings.models import ManualMark

START = datetime(2026, 9, 7, tzinfo=UTC)
XSS = "<script>alert('x')</script>"


@pytest.fixture
def staff(make_member, log_in):
    make_member("tess", "ta")
    return log_in("tess")


@pytest.mark.parametrize(
    "address",
    [
        "/staff/{term}/gradebook",
        "/staff/{term}/gradebook.csv",
        "/staff/{term}/gradebook/{enrolment}",
        "/staff/{term}/submissions",
        "/staff/{term}/dashboard",
        "/staff/{term}/extensions",
        "/staff/submissions/{submission}",
    ],
)
@pytest.mark.parametrize(
    ("who", "status"), [("ada", 404), ("outsider", 404), ("", 302), ("tess", 200)]
)
def test_only_staff_of_the_term_open_a_staff_page(
    address, who, status, classroom, make_member, make_user, log_in, client
):
    ada = classroom.enrol("ada")
    make_user("outsider")
    make_member("tess", "ta")
    (submission,) = classroom.send(ada, 7.0)
    browser = log_in(who) if who else client
    page = browser.get(
        address.format(term=classroom.term.slug, enrolment=ada.id, submission=submission)
    )
    assert page.status_code == status


def test_a_student_neither_marks_nor_regrades(classroom, log_in):
    ada = classroom.enrol("ada")
    (submission,) = classroom.send(ada, 7.0)
    browser = log_in("ada")
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{classroom.offering_id}/marks"
    assert browser.post(place, data={"item": "whole", "points": "5"}).status_code == 404
    again = browser.post(
        f"/staff/submissions/{submission}/regrade", data={"key": str(uuid.uuid4())}
    )
    assert again.status_code == 404
    with read_session(classroom.engine) as session:
        assert session.query(ManualMark).count() == 0
        assert session.query(GradingRun).count() == 1


def test_names_code_details_and_comments_are_shown_as_text(classroom, staff):
    eve = classroom.enrol("eve", display_name=XSS)
    (submission,) = classroom.send(eve, 7.0, code=f"# {XSS}\n".encode(), detail=XSS)
    feedback = _whole(classroom)
    marks = f"/staff/{classroom.term.slug}/gradebook/{eve.id}/{feedback}/marks"
    staff.post(marks, data={"item": "whole", "points": "1", "comment": XSS})
    pages = [
        f"/staff/submissions/{submission}",
        f"/staff/{classroom.term.slug}/gradebook",
        f"/staff/{classroom.term.slug}/gradebook/{eve.id}",
        f"/staff/{classroom.term.slug}/submissions",
        f"/staff/{classroom.term.slug}/dashboard",
    ]
    for page in pages:
        text = staff.get(page).text
        assert "alert(" in text, page
        assert "<script>alert" not in text, page


def test_a_mark_is_saved_with_its_author_and_an_audit_entry(classroom, staff):
    ada = classroom.enrol("ada")
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{_whole(classroom)}/marks"
    answer = staff.post(place, data={"item": "whole", "points": "4.5", "comment": "kind"})
    assert answer.status_code == 303
    with read_session(classroom.engine) as session:
        mark = session.scalars(select(ManualMark)).one()
        assert (str(mark.points), mark.author.username) == ("4.5", "tess")
        assert session.query(AuditEntry).where(AuditEntry.action == "mark.give").count() == 1


def test_opening_a_submission_is_recorded_and_being_refused_is_not(classroom, staff, log_in):
    (submission,) = classroom.send(classroom.enrol("ada"), 3)
    assert log_in("ada").get(f"/staff/submissions/{submission}").status_code == 404
    assert staff.get(f"/staff/submissions/{submission}").status_code == 200
    with read_session(classroom.engine) as session:
        seen = select(AuditEntry).where(AuditEntry.action == "submission.view")
        entry = session.scalars(seen).one()
        actor = session.get_one(User, entry.actor_id)
        assert (actor.username, entry.subject) == ("tess", f"submission:{submission}")


def test_a_mark_that_was_given_is_never_changed(classroom, staff):
    ada = classroom.enrol("ada")
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{_whole(classroom)}/marks"
    assert staff.post(place, data={"item": "whole", "points": "4.5"}).status_code == 303
    for act in (lambda session, mark: setattr(mark, "points", 5), Session.delete):
        with write_session(classroom.engine) as session:
            act(session, session.scalars(select(ManualMark)).one())
            with pytest.raises(ValueError, match="never changed"):
                session.flush()
            session.rollback()


def test_a_mark_outside_the_scale_says_what_the_scale_is(classroom, staff):
    ada = classroom.enrol("ada")
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{_whole(classroom)}/marks"
    answer = staff.post(place, data={"item": "whole", "points": "99"})
    assert answer.status_code == 422
    assert "from 0 to 5" in answer.text


def test_the_timeline_shows_every_event_with_our_faults(classroom, staff):
    (submission,) = classroom.send(classroom.enrol("ada"), 7.0)
    with write_session(classroom.engine) as session:
        run_id = session.scalars(select(GradingRun.id)).one()
        for kind, data in ((EventKind.QUEUED, "{}"), (EventKind.FAULT, '{"fault": "disk full"}')):
            session.add(Event(run_id=run_id, kind=kind, data=data, at=START))
    page = staff.get(f"/staff/submissions/{submission}").text
    assert "queued <small>" in page
    assert "disk full" in page


def test_after_a_mark_no_foreign_site_is_visited(classroom, staff):
    ada = classroom.enrol("ada")
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{_whole(classroom)}/marks"
    form = {"item": "whole", "points": "1", "next": "https://evil.example/"}
    assert "evil" not in staff.post(place, data=form).headers["Location"]


def test_a_doubled_regrade_queues_one_run(classroom, staff, config):
    prepare(config.database_url)
    (submission,) = classroom.send(classroom.enrol("ada"), 7.0)
    form = {"key": str(uuid.uuid4())}
    for _ in range(2):
        answer = staff.post(f"/staff/submissions/{submission}/regrade", data=form)
        assert answer.status_code == 303
    with read_session(classroom.engine) as session:
        states = session.scalars(select(GradingRun.state).order_by(GradingRun.created_at)).all()
    assert sorted(states) == [RunState.GRADED, RunState.QUEUED]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        pytest.param("", {"Ada", "Bob"}, id="all"),
        pytest.param("student=ad", {"Ada"}, id="student"),
        pytest.param("student=%25", set(), id="a wildcard is a character"),
        pytest.param("state=queued", {"Bob"}, id="state"),
        pytest.param("state=nonsense&page=999", {"Ada", "Bob"}, id="nonsense"),
    ],
)
def test_the_list_is_filtered(query, shown, classroom, staff):
    classroom.send(classroom.enrol("ada"), 7.0)
    classroom.send(classroom.enrol("bob"), None)
    page = staff.get(f"/staff/{classroom.term.slug}/submissions?{query}").text
    assert {name for name in ("Ada", "Bob") if f">{name}<span" in page} == shown


def test_a_page_of_fifty_takes_a_bounded_number_of_queries(classroom, staff):
    for number in range(6):
        classroom.send(classroom.enrol(f"student{number}"), *[3.0] * 10)
    statements = []
    event.listen(classroom.engine, "after_cursor_execute", lambda *args: statements.append(args[2]))
    page = staff.get(f"/staff/{classroom.term.slug}/submissions").text
    assert "Page 1 of 2" in page
    assert sum(text.lstrip().startswith("SELECT") for text in statements) <= 15


def test_the_gradebook_counts_missing_scores(classroom, staff):
    classroom.send(classroom.enrol("ada"), 7.0)
    classroom.enrol("bob")
    page = staff.get(f"/staff/{classroom.term.slug}/gradebook").text
    assert "1 student has no score for" in page
    assert "no score for Lab 2" not in page  # it is not published
    assert "no submission" in page


def _whole(classroom) -> int:
    """Return the offering that is marked as a whole, worth 5 points."""
    with read_session(classroom.engine) as session:
        return session.scalars(
            select(Offering.id).where(Offering.kind == OfferingKind.FEEDBACK)
        ).one()


def test_staff_read_that_runs_wait_for_a_gpu(classroom, staff):
    classroom.send(classroom.enrol("ada"), None)
    address = f"/staff/{classroom.term.slug}/submissions"
    assert "portal worker --queue gpu" not in staff.get(address).text
    with write_session(classroom.engine) as session:
        run = session.scalars(select(GradingRun)).one()
        run.queue, run.created_at = "gpu", datetime(2020, 1, 1, tzinfo=UTC)
    page = staff.get(address).text
    assert "1 run has waited for a machine with a GPU" in page
    assert "portal worker --queue gpu" in page
