"""An instructor sets a term on its pages and by its course file; nobody else does."""

import re
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from sqlalchemy import select
from support.labs import mark_by_hand
from support.portal import START

from portal.audit.models import AuditEntry
from portal.courses.models import Offering, Term
from portal.platform.db import read_session
from portal.settings.form import fields_of
from portal.settings.values import settings_of
from portal.standings.models import Criterion, StudentStanding

TERM = "2026-autumn"
SETTINGS = f"/staff/{TERM}/settings"


@pytest.fixture
def lin(site):
    """An instructor's browser."""
    site.make_member("lin", "instructor")
    return site.log_in("lin")


def offering(site, number=None):
    with read_session(site.engine) as session:
        return session.get_one(Offering, number or site.offering_id)


def fields(site, **changes):
    with read_session(site.engine) as session:
        current = fields_of(settings_of(session.get_one(Offering, site.offering_id)))
    return current | changes


def audit(site, action):
    with read_session(site.engine) as session:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return session.scalars(query).all()


def send(browser, text):
    file = (BytesIO(text.encode()), "course.toml")
    return browser.post(
        f"{SETTINGS}/preview", data={"file": file}, content_type="multipart/form-data"
    )


def test_what_an_instructor_changes_holds_for_students_at_once(site, lin):
    site.make_member("ada")
    own = f"{SETTINGS}/{site.offering_id}"
    assert 'value="2026-09-20T23:59"' in lin.get(own).text
    answer = lin.post(own, data=fields(site, due="2026-09-27T23:59", attempts_per_day="3"))
    assert answer.status_code == 303
    page = lin.get(SETTINGS).text
    assert "Due: 2026-09-20 23:59 → 2026-09-27 23:59" in page and "3 a day" in page
    student = site.log_in("ada").get(f"/labs/{site.offering_id}/").text
    assert "Sun 27 Sep 2026, 23:59 (UTC+08:00)" in student and "3 a day" in student
    (entry,) = audit(site, "settings.change")
    assert entry.detail["changes"]["Due"] == ["2026-09-20 23:59", "2026-09-27 23:59"]
    assert set(entry.detail["changes"]) == {"Due", "Attempts a day"}


def test_a_form_sent_back_unchanged_changes_and_records_nothing(site, lin):
    before = fields(site)
    page = lin.post(f"{SETTINGS}/{site.offering_id}", data=before, follow_redirects=True).text
    assert "Nothing was changed." in page
    assert fields(site) == before and audit(site, "settings.change") == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"due": "2026-09-01T00:00"}, "it is due 2026-09-01 00:00, before it opens"),
        ({"closes": "2026-09-10T00:00"}, "it closes 2026-09-10 00:00, before it is due"),
        ({"assignment": ""}, "a lab without an assignment has nothing to show"),
        ({"assignment": "nothing"}, "no assignment &#39;nothing&#39;"),
        ({"variants": "sine"}, "no variant &#39;sine&#39;"),
        ({"variants": "sine, log", "team_size": "2"}, "choose one variant, or a team size of 1"),
        ({"team_size": "0"}, "Team size &#39;0&#39; is to be 1 or more"),
        ({"kind": "feedback"}, "course feedback has no assignment"),
        ({"points": "-1", "title": ""}, "Title is empty; Points &#39;-1&#39; is to be 0 or more"),
    ],
)
def test_what_cannot_be_is_said_and_what_was_typed_stays(site, lin, changes, message):
    before = fields(site)
    answer = lin.post(
        f"{SETTINGS}/{site.offering_id}", data=before | {"grace_minutes": "7"} | changes
    )
    assert answer.status_code == 422 and message in answer.text
    assert 'name="grace_minutes" value="7"' in answer.text
    assert fields(site) == before


def test_what_scores_hang_on_stands_once_somebody_has_handed_in(site, lin, classroom):
    classroom.send(classroom.enrol("ada"), 7.0)
    own = f"{SETTINGS}/{site.offering_id}"
    answer = lin.post(own, data=fields(site, assignment="", published=""))
    assert "assignment cannot change under their scores" in answer.text
    assert lin.post(own, data=fields(site, published="")).status_code == 303
    assert not offering(site).published


def test_a_lab_is_added_unseen_and_removed_while_nobody_has_used_it(site, lin, classroom):
    added = lin.post(f"{SETTINGS}/add")
    number = int(added.location.rsplit("/", 1)[1])
    new = offering(site, number)
    assert (new.title, new.published, new.position) == ("New lab", False, 8)
    assert new.due_at - START > timedelta(days=14)
    assert lin.post(f"{SETTINGS}/{number}/remove").status_code == 303
    with read_session(site.engine) as session:
        assert session.get(Offering, number) is None
    classroom.send(classroom.enrol("ada"), 7.0)
    answer = lin.post(f"{SETTINGS}/{site.offering_id}/remove")
    assert answer.status_code == 422 and "students have handed in Lab 1" in answer.text


def test_a_course_file_is_previewed_and_then_carried_out(site, lin):
    text = lin.get(f"{SETTINGS}/course.toml").text
    unchanged = send(lin, text)
    assert "has these settings already" in unchanged.text
    changed = text.replace('title = "Competition"', 'title = "Wardrobe"')
    preview = send(lin, changed)
    assert preview.status_code == 200 and "1 change<" in preview.text
    assert "Wardrobe" not in lin.get(SETTINGS).text
    (course,) = [
        line.split('value="')[1].split('"')[0]
        for line in preview.text.splitlines()
        if 'name="course"' in line
    ]
    assert lin.post(f"{SETTINGS}/import", data={"course": course}).status_code == 303
    assert "Wardrobe" in lin.get(SETTINGS).text
    assert lin.get(f"{SETTINGS}/course.toml").text == changed


def test_a_labs_team_size_is_shown_before_it_is_set_and_recorded(site, lin):
    site.make_member("ada")
    ada, lab = site.log_in("ada"), f"/labs/{site.offering_id}/"
    assert "Your team" not in ada.get(lab).text
    text = lin.get(f"{SETTINGS}/course.toml").text
    wanted = text.replace('assignment = "demo"', 'assignment = "demo"\nteam_size = 3')
    preview = send(lin, wanted)
    assert "Team size" in preview.text and "1 change<" in preview.text
    course = re.search('name="course" value="([^"]*)"', preview.text)[1]
    assert lin.post(f"{SETTINGS}/import", data={"course": course}).status_code == 303
    page = ada.get(lab).text
    assert "Your team" in page and "Teams have 3 people at most" in page
    (entry,) = audit(site, "settings.change")
    assert entry.detail["changes"] == {"Team size": ["none", "3"]}


def test_a_file_that_cannot_be_is_refused_whole(site, lin):
    text = lin.get(f"{SETTINGS}/course.toml").text
    wrong = text.replace('title = "Competition"', 'title = "X"').replace(
        'assignment = "demo"', 'assignment = "dmeo"'
    )
    answer = send(lin, wrong)
    assert answer.status_code == 422 and "Make these changes" not in answer.text
    assert "Lab 1" in answer.text
    other = send(lin, text.replace('slug = "2026-autumn"', 'slug = "other"'))
    assert other.status_code == 422 and "the file is of the term" in other.text
    for course in ("", "%", "bm8="):
        assert lin.post(f"{SETTINGS}/import", data={"course": course}).status_code == 422
    assert lin.get(f"{SETTINGS}/course.toml").text == text


def test_a_moved_clock_keeps_the_times_on_the_wall(site, lin):
    text = lin.get(f"{SETTINGS}/course.toml").text
    moved = text.replace("Asia/Shanghai", "Europe/Berlin")
    preview = send(lin, moved)
    (course,) = [
        line.split('value="')[1].split('"')[0]
        for line in preview.text.splitlines()
        if 'name="course"' in line
    ]
    lin.post(f"{SETTINGS}/import", data={"course": course})
    assert lin.get(f"{SETTINGS}/course.toml").text == moved
    with read_session(site.engine) as session:
        term = session.scalars(select(Term)).one()
        assert term.offerings[0].due_at.isoformat() == "2026-09-20T21:59:00+00:00"


@pytest.fixture
def with_report(home):
    """The lab `demo`, of whose points a person gives four."""
    manifest = home / "assignments" / "demo" / "assignment.toml"
    second = 'title = "The second thing", points = 4'
    report = f'id = "report", manual = true, {second}'
    manifest.write_text(manifest.read_text().replace(f'id = "second", {second}', report))


@pytest.mark.usefixtures("with_report")
def test_marks_reach_their_student_when_they_are_published_and_add_up(site, lin, classroom):
    ada = classroom.enrol("eve")
    first, second = classroom.send(ada, 6.0, 7.0)
    site.change_offering(closes_at=START + timedelta(days=40), late_percent=Decimal(10))
    give = f"/staff/{TERM}/gradebook/{ada.id}/{site.offering_id}/marks"
    form = {"item": "report", "points": "1", "comment": "Say <why> it falls.", "submission": first}
    assert lin.post(give, data=form).status_code == 303
    assert "this attempt is newer" in lin.get(f"/staff/submissions/{second}").text
    pages = (
        f"/labs/{site.offering_id}/",
        f"/submissions/{second}",
        f"/submissions/{second}/explain",
    )
    for page in pages:
        text = site.log_in("eve").get(page).text
        assert "Say &lt;why&gt;" not in text and "not shown yet" in text
    lin.post(f"{SETTINGS}/{site.offering_id}", data=fields(site, marks_published="on"))
    home = site.log_in("eve").get("/").text
    book = lin.get(f"/staff/{TERM}/gradebook").text
    for page in pages:
        text = site.log_in("eve").get(page).text
        assert "Say &lt;why&gt; it falls." in text and "by Lin" in text and "on attempt 1" in text
        official = text.split("Of the course")[1].split("<b>")[1].split("</b>")[0]
        assert f"<b>{official}</b>" in home and f"<b>{official}</b>" in book
    other = classroom.enrol("bo")
    (theirs,) = classroom.send(other, 7.0)
    for wrong, code in ((theirs, 422), ("no such", 404)):
        assert lin.post(give, data=form | {"submission": wrong}).status_code == code


def test_what_lateness_costs_stands_on_the_card(site, lin, classroom):
    site.change_offering(closes_at=START + timedelta(days=40), late_percent=Decimal(10))
    (late,) = classroom.send(classroom.enrol("eve"), 7.0, at=START + timedelta(days=15))
    text = site.log_in("eve").get(f"/submissions/{late}").text
    assert "2 days late, 10 % a day: 80 % of it stay" in text


def test_only_instructors_set_anything_and_find_the_way_there(site, lin):
    site.make_member("tess", "ta")
    site.make_member("ada")
    assert f'href="{SETTINGS}"' in lin.get("/").text
    for name in ("tess", "ada"):
        browser = site.log_in(name)
        assert f'href="{SETTINGS}"' not in browser.get("/").text
        for page in ("", f"/{site.offering_id}", "/course.toml"):
            assert browser.get(SETTINGS + page).status_code == 404
        for page in (f"/{site.offering_id}", "/add", f"/{site.offering_id}/remove", "/import"):
            assert browser.post(SETTINGS + page, data=fields(site)).status_code == 404


def test_an_offering_of_another_term_is_not_there(site, lin):
    other = site.make_term("2027-spring")
    with read_session(site.engine) as session:
        theirs = session.get_one(Term, other.id).offerings[0].id
    assert lin.get(f"{SETTINGS}/{theirs}").status_code == 404
    assert lin.post(f"{SETTINGS}/{theirs}/remove").status_code == 404


def test_a_course_file_carries_the_rubric_and_says_how_many_marks_it_moves(site, lin, home):
    mark_by_hand(home)
    address = f"/staff/2026-autumn/rubrics/{site.offering_id}"
    row = {"item-0": "report", "id-0": "", "title-0": "Plots", "points-0": "2"}
    assert lin.post(address, data={**row, "description-0": "Axes"}).status_code == 303
    ada = site.make_member("ada")
    with read_session(site.engine) as session:
        (number,) = session.scalars(select(Criterion.id))
    marks = f"/staff/2026-autumn/gradebook/{ada.id}/{site.offering_id}/marks"
    assert lin.post(marks, data={"item": "report", "ticked": number}).status_code == 303
    text = lin.get(f"{SETTINGS}/course.toml").text
    assert "has these settings already" in send(lin, text).text
    changed = text.replace('title = "Plots"\npoints = 2', 'title = "Plots"\npoints = 1.5')
    preview = send(lin, changed)
    assert "Criterion Plots" in preview.text and "1 get other points" in preview.text
    (course,) = re.findall(r'name="course" value="([^"]+)"', preview.text)
    assert lin.post(f"{SETTINGS}/import", data={"course": course}).status_code == 303
    assert lin.get(f"{SETTINGS}/course.toml").text == changed
    with read_session(site.engine) as session:
        assert session.scalars(select(StudentStanding)).one().marks == {"report": "1.5"}
    wrong = send(lin, changed.replace('item = "report"', 'item = "plot"'))
    assert wrong.status_code == 422 and "is not marked by hand" in wrong.text
