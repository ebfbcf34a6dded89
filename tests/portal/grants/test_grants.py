"""Extensions: who gets more time, what it changes on every page, and who may grant it."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from support.attempts import ANSWER
from support.portal import START
from support.reports import SECRET, class_report
from support.uploads import upload

from grader.report import Visibility
from portal.audit.models import AuditEntry
from portal.courses.models import Enrolment, Offering
from portal.grants.models import Grant
from portal.grants.service import grants_of, parse_due
from portal.platform.db import read_session, write_session
from portal.platform.errors import Invalid

DUE = "Sun 20 Sep 2026, 23:59 (UTC+08:00)"
LATER = "Wed 23 Sep 2026, 12:00 (UTC+08:00)"


@pytest.fixture
def ada(site):
    return site.make_member("ada")


@pytest.fixture
def staff(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def grant(site, staff):
    """Send the form as staff."""

    def send(who, browser=staff, **fields):
        fields = {"reason": "ill", "offering": site.offering_id, "student": who.id} | fields
        return browser.post(f"/staff/{site.term.slug}/extensions", data=fields)

    return send


def rows(site):
    with read_session(site.engine) as session:
        return session.scalars(select(Grant).order_by(Grant.id)).all()


def test_an_extension_is_seen_by_its_student_and_by_nobody_else(site, ada, grant):
    site.make_member("bo")
    assert grant(ada, due="2026-09-23T12:00", attempts="2").status_code == 303
    for page in ("/", f"/labs/{site.offering_id}/"):
        own, other = (site.log_in(name).get(page).text for name in ("ada", "bo"))
        assert LATER in own and "extended for you" in own
        assert LATER not in other and DUE in other and "extended" not in other
    own = site.log_in("ada").get(f"/labs/{site.offering_id}/").text
    assert "22 a day" in own and "for the others <time" in own


def test_an_upload_in_the_extension_is_taken_and_not_late(site, ada, grant):
    site.clock.instant = START + timedelta(days=14)  # the lab is due, and closed
    browser = site.log_in("ada")
    files = [("answer.py", ANSWER)]
    assert "This lab closed at" in upload(browser, site.offering_id, files).text
    grant(ada, due="2026-09-23T12:00")
    assert upload(browser, site.offering_id, files).status_code == 201
    page = browser.get(f"/labs/{site.offering_id}/").text
    assert "Attempt 1" in page and "late</span>" not in page


def test_an_attempt_that_came_late_is_in_time_once_time_was_granted(site, classroom, grant):
    ada = classroom.enrol("eve")
    site.change_offering(closes_at=START + timedelta(days=30))
    (late,) = classroom.send(ada, 7.0, at=START + timedelta(days=15))
    browser = site.log_in("eve")
    assert "late</span>" in browser.get(f"/submissions/{late}/receipt").text
    grant(ada, due="2026-09-23T12:00")
    receipt = browser.get(f"/submissions/{late}/receipt").text
    assert "in time</span>" in receipt and LATER in receipt


def test_details_stay_closed_while_anybody_may_hand_in(site, classroom, ada, grant):
    report = class_report(7.0, SECRET)
    later = [t.model_copy(update={"visibility": Visibility.AFTER_DUE_DATE}) for t in report.tests]
    (sent,) = classroom.send_reports(
        classroom.enrol("eve"), report.model_copy(update={"tests": tuple(later)})
    )
    grant(ada, due="2026-09-23T12:00")
    for moment, shown in ((START + timedelta(days=14), False), (START + timedelta(days=17), True)):
        site.clock.instant = moment  # past the due date of all others, and past ada's
        page = site.log_in("eve").get(f"/submissions/{sent}").text
        assert (SECRET in page) == shown


def test_the_last_grant_holds_and_an_empty_one_takes_it_back(site, ada, grant, staff):
    grant(ada, due="2026-09-23T12:00", attempts="2")
    grant(ada, attempts="1")
    assert [(bool(row.due_at), row.attempts) for row in rows(site)] == [(True, 2), (False, 1)]
    page = staff.get(f"/staff/{site.term.slug}/extensions").text
    assert "1 extension," in page and "as for all" in page
    grant(ada)
    with read_session(site.engine) as session:
        assert grants_of(session, site.term) == []
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.startswith("grant.")).order_by(AuditEntry.id)
        ).all()
    assert [entry.action for entry in entries] == ["grant.give", "grant.give", "grant.take_back"]
    assert entries[0].detail["due_at"] == "2026-09-23T04:00:00+00:00"
    assert DUE in site.log_in("ada").get("/").text


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"due": "soon"}, "is no day and time"),
        ({"due": "2026-09-23T12:00+02:00"}, "is no day and time"),
        ({"due": "9999-12-31T23:59"}, ""),
        ({"due": "2026-09-20T23:59"}, "is due 2026-09-20 23:59 anyway"),
        ({"attempts": "-1"}, "is no number of attempts"),
        ({"attempts": "9999"}, "1000 is the most"),
        ({"attempts": "٣"}, "is no number of attempts"),
        ({"reason": " "}, "say why"),
        ({"reason": "x" * 501}, "shorten it to 500"),
        ({"student": ""}, "choose a student and a lab"),
        ({"offering": "x"}, "choose a student and a lab"),
    ],
)
def test_what_cannot_be_granted_is_said_and_the_form_keeps_what_was_typed(
    site, ada, grant, fields, message
):
    answer = grant(ada, **({"due": "2026-09-23T12:00", "reason": "flu <b>"} | fields))
    if not message:
        assert answer.status_code == 303
        return
    assert answer.status_code == 422 and message in answer.text
    assert rows(site) == []
    if "reason" not in fields:
        assert "flu &lt;b&gt;" in answer.text


def test_staff_get_no_extension_and_students_grant_none(site, ada, grant):
    with read_session(site.engine) as session:
        tess = session.scalars(select(Enrolment).where(Enrolment.role == "ta")).one()
    assert "is staff in this term" in grant(tess, attempts="1").text
    assert grant(ada, browser=site.log_in("ada"), attempts="1").status_code == 404
    assert rows(site) == []


def test_another_terms_student_and_lab_do_not_exist(site, ada, grant):
    other = site.make_term("2027-spring")
    stranger = site.make_member("zoe", term=other)
    with read_session(site.engine) as session:
        foreign = session.scalars(select(Offering.id).where(Offering.term_id == other.id)).first()
    assert grant(stranger, attempts="1").status_code == 404
    assert grant(ada, offering=foreign, attempts="1").status_code == 404
    assert rows(site) == []


def test_a_grant_is_never_changed(site, ada, grant):
    grant(ada, attempts="1")
    with pytest.raises(ValueError, match="never changed"), write_session(site.engine) as session:
        session.scalars(select(Grant)).one().attempts = 5


def test_a_due_date_is_read_in_the_terms_zone(site):
    with read_session(site.engine) as session:
        offering = session.get_one(Offering, site.offering_id)
        assert parse_due("2026-10-01 08:30", offering).isoformat() == "2026-10-01T00:30:00+00:00"
        assert parse_due(" ", offering) is None
        with pytest.raises(Invalid):
            parse_due("0001-01-01 00:00", offering)
