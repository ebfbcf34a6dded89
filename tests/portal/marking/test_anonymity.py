"""A lab may be marked without names: nobody who marks is told who sent what."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update
from support.attempts import ANSWER
from support.labs import mark_by_hand
from support.portal import START
from support.reports import class_report
from support.uploads import upload

from portal.audit.models import AuditEntry
from portal.courses.anonymity import Veil
from portal.courses.models import Offering, OfferingKind
from portal.platform.db import read_session
from portal.settings.form import fields_of
from portal.settings.values import settings_of
from portal.submissions.models import LateUpload, Submission

STAFF = "/staff/2026-autumn"
PSEUDONYM = re.compile(r"Student [A-Z2-7]{3}-[A-Z2-7]{3}")
NAMES = ("Zuleika", "zuleika", "Yolanda", "yolanda")


def packed(name):
    """Return an answer in a folder that bears a name."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(f"{name}/demo/answer.py", "def answer():\n    return 42\n")
    return target.getvalue()


@pytest.fixture
def sent(site, classroom, home):
    """Two students whose names stand in the names of what they sent, in a lab without names."""
    mark_by_hand(home)
    for name, role in (("tess", "ta"), ("ines", "instructor")):
        site.make_member(name, role)
    found = []
    for name in ("zuleika", "yolanda"):
        found += classroom.send_reports(
            classroom.enrol(name), class_report(7.0, "AssertionError: of it"), code=packed(name)
        )
    with site.engine.begin() as connection:
        for number, name in zip(found, ("zuleika", "yolanda"), strict=True):
            rename = update(Submission).where(Submission.id == number)
            connection.execute(rename.values(filename=f"{name}.zip"))
    site.change_offering(anonymous=True, published=True)
    return found


def pages_of(site, sent):
    """Return the addresses where somebody marks."""
    return [
        f"{STAFF}/submissions",
        f"{STAFF}/submissions?offering={site.offering_id}",
        f"{STAFF}/inbox",
        f"{STAFF}/dashboard?offering={site.offering_id}",
        f"{STAFF}/dashboard/{site.offering_id}/test?test=test_demo.py::test_second",
        *(f"/staff/submissions/{number}" for number in sent),
    ]


def test_no_page_for_marking_has_a_name(site, sent, classroom):
    with read_session(site.engine) as session:
        tess = session.get_one(Submission, sent[0]).enrolment
    trial, run = classroom.try_regrade(tess, *sent)
    for name in ("tess", "ines"):
        browser = site.log_in(name)
        more = [f"/staff/trials/{trial}", f"/staff/runs/{run}"]
        for address in [*pages_of(site, sent), *more]:
            page = browser.get(address)
            assert page.status_code == 200, address
            # The trial's author is a student here; staff are named.
            text = page.text.replace("Begun by Zuleika", "")
            assert not any(one in text for one in NAMES), address
            if "inbox" not in address:
                assert PSEUDONYM.search(text), address


def test_a_pseudonym_is_the_same_on_every_page_and_another_for_each_student(site, sent):
    tess = site.log_in("tess")
    listed = set(PSEUDONYM.findall(tess.get(f"{STAFF}/submissions").text))
    own = [PSEUDONYM.findall(tess.get(f"/staff/submissions/{one}").text)[0] for one in sent]
    assert len(listed) == 2 and set(own) == listed


def test_a_search_finds_pseudonyms_and_no_name(site, sent):
    tess = site.log_in("tess")
    (one,) = set(PSEUDONYM.findall(tess.get(f"/staff/submissions/{sent[0]}").text))
    assert "No submission matches" in tess.get(f"{STAFF}/submissions?student=zuleika").text
    found = tess.get(f"{STAFF}/submissions?student={one.split()[1].lower()}").text
    assert sent[0] in found and sent[1] not in found


def test_downloads_have_no_name(site, sent):
    tess = site.log_in("tess")
    whole = tess.get(f"{STAFF}/submissions.zip?offering={site.offering_id}")
    names = zipfile.ZipFile(io.BytesIO(whole.data)).namelist()
    assert len(names) == 2 and all(
        re.fullmatch(r"[a-z2-7]{3}-[a-z2-7]{3}-1/demo/answer\.py", one) for one in names
    )
    one = tess.get(f"/submissions/{sent[0]}/upload")
    assert one.headers["Content-Disposition"] == "attachment; filename=upload.zip"
    assert zipfile.ZipFile(io.BytesIO(one.data)).namelist() == ["demo/answer.py"]


def test_a_mark_is_given_without_a_name_and_not_by_one(site, sent):
    tess = site.log_in("tess")
    form = {"item": "report", "points": "3"}
    answer = tess.post(f"/staff/submissions/{sent[0]}/marks", data=form, follow_redirects=True)
    assert "Saved: 3 points for Student " in answer.text
    assert not any(one in answer.text for one in NAMES)
    with read_session(site.engine) as session:
        who = session.get_one(Submission, sent[0]).enrolment_id
    page = tess.get(f"{STAFF}/gradebook/{who}").text
    assert "marked without names" in page and sent[0] not in page and "by Tess" not in page
    assert sent[0] not in tess.get(f"{STAFF}/gradebook").text
    place = f"{STAFF}/gradebook/{who}/{site.offering_id}"
    refused = tess.post(f"{place}/marks", data=form)
    assert refused.status_code == 422 and "without names" in refused.text
    assert tess.post(f"{place}/counts", data={"attempt": sent[0]}).status_code == 422


@pytest.mark.parametrize("end", ["", "/code", "/explain", "/receipt"])
def test_the_students_own_pages_are_the_students(site, sent, end):
    address = f"/submissions/{sent[0]}{end}"
    assert site.log_in("zuleika").get(address).status_code == 200
    answer = site.log_in("tess").get(address)
    assert answer.status_code == 422 and "Zuleika" not in answer.text
    assert site.log_in("ines").get(address).status_code == 200, "by name as ever"


def test_an_instructor_has_a_student_revealed_with_a_reason_and_to_instructors_alone(site, sent):
    tess, ines = site.log_in("tess"), site.log_in("ines")
    address = f"/staff/submissions/{sent[0]}"
    assert "Tell me the name" in ines.get(address).text
    assert "Tell me the name" not in tess.get(address).text
    assert tess.post(f"{address}/reveal", data={"reason": "Please"}).status_code == 404
    assert ines.post(f"{address}/reveal", data={"reason": " "}).status_code == 422
    answer = ines.post(f"{address}/reveal", data={"reason": "Asked about an extension"})
    assert answer.status_code == 303
    assert (
        "Zuleika" in ines.get(address).text and "zuleika" in ines.get(f"{STAFF}/submissions").text
    )
    assert "Yolanda" not in ines.get(f"{STAFF}/submissions").text
    assert not any(one in tess.get(address).text for one in NAMES)
    with read_session(site.engine) as session:
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "student.reveal")
        ).one()
        assert entry.detail["reason"] == "Asked about an extension"


@pytest.fixture
def too_late(site, sent):
    """What one of the two sent after the lab had closed."""
    zuleika = site.log_in("zuleika")
    site.clock.instant = START + timedelta(days=15)
    assert upload(zuleika, site.offering_id, [("answer.py", ANSWER)]).json["error"] == "late"
    with read_session(site.engine) as session:
        return session.scalars(select(LateUpload.id)).one()


def test_what_came_too_late_bears_the_pseudonym_before_and_after_it_is_accepted(
    site, sent, too_late
):
    for name in ("ines", "tess"):
        browser = site.log_in(name)
        (known,) = set(PSEUDONYM.findall(browser.get(f"/staff/submissions/{sent[0]}").text))
        page = browser.get(f"{STAFF}/inbox").text
        late = page[page.index('id="late"') :]
        assert set(PSEUDONYM.findall(late)) == {known}
        assert not any(one in page for one in NAMES)
    place = f"/staff/late-uploads/{too_late}/accept"
    said = browser.post(place, follow_redirects=True).text
    assert f"Accepted: {known}, " in said and not any(one in said for one in NAMES)


def test_an_instructor_has_revealed_whose_upload_came_too_late(site, sent, too_late):
    tess, ines = site.log_in("tess"), site.log_in("ines")
    address = f"/staff/late-uploads/{too_late}/reveal"
    assert address in ines.get(f"{STAFF}/inbox").text
    assert address not in tess.get(f"{STAFF}/inbox").text
    assert tess.post(address, data={"reason": "Please"}).status_code == 404
    assert ines.post(address, data={"reason": " "}).status_code == 422
    assert ines.post(address, data={"reason": "Was promised a day more"}).status_code == 303
    page = ines.get(f"{STAFF}/inbox").text
    assert "Zuleika" in page and address not in page
    assert "Zuleika" in ines.get(f"/staff/submissions/{sent[0]}").text
    assert not any(one in tess.get(f"{STAFF}/inbox").text for one in NAMES)
    with read_session(site.engine) as session:
        entries = select(AuditEntry).where(AuditEntry.action == "student.reveal")
        assert session.scalars(entries).one().detail["reason"] == "Was promised a day more"


def test_the_page_of_teams_has_names_and_nothing_that_leads_to_their_work(site, sent):
    site.change_offering(team_size=2)
    for name in ("tess", "ines"):
        browser = site.log_in(name)
        codes = set(PSEUDONYM.findall(browser.get(f"{STAFF}/submissions").text))
        page = browser.get(f"{STAFF}/teams").text
        assert "Zuleika" in page and "Yolanda" in page
        assert len(codes) == 2 and not any(code.split()[1] in page for code in codes)
        assert not any(number in page for number in sent)


@pytest.mark.parametrize(
    "change",
    [{"anonymous": False}, {"marks_published": True}, {"kind": OfferingKind.COMPETITION}],
    ids=["off", "published", "no-lab"],
)
def test_names_are_back_when_it_ends(site, sent, change):
    site.change_offering(**change)
    tess = site.log_in("tess")
    page = tess.get(f"/staff/submissions/{sent[0]}").text
    assert "Zuleika" in page and "zuleika.zip" in page and "Tell me the name" not in page
    assert sent[0] in tess.get(f"{STAFF}/submissions?student=zuleika").text


def test_it_is_a_setting_that_stands_in_the_history(site, sent):
    site.change_offering(anonymous=False)
    with read_session(site.engine) as session:
        fields = fields_of(settings_of(session.get_one(Offering, site.offering_id)))
    ines = site.log_in("ines")
    own = f"{STAFF}/settings/{site.offering_id}"
    assert 'name="anonymous"' in ines.get(own).text
    assert ines.post(own, data=fields | {"anonymous": "on"}).status_code == 303
    with read_session(site.engine) as session:
        assert session.get_one(Offering, site.offering_id).hides_names
        entry = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "settings.change")
        ).one()
        assert entry.detail["changes"] == {"Marked without names": ["no", "yes"]}
    assert "anonymous = true" in ines.get(f"{STAFF}/settings/course.toml").text


@given(st.integers(1, 9), st.integers(1, 9), st.binary(min_size=1, max_size=32))
def test_a_pseudonym_hangs_on_student_lab_and_key_alone(student, offering, key):
    veil = Veil(key, frozenset({offering}), frozenset(), leads=False)
    told = Veil(key, frozenset({offering}), frozenset({(student, offering)}), leads=True)
    elsewhere = Veil(key, frozenset(), frozenset(), leads=False)
    assert veil.code(student, offering) == told.code(student, offering)
    assert (
        veil.stem(student, offering, "ada") != "ada"
        and told.stem(student, offering, "ada") == "ada"
    )
    assert elsewhere.file_name(student, offering, "ada.zip") == "ada.zip"
    assert veil.file_name(student, offering, "ada.zip") == "upload.zip"
    assert veil.file_name(student, offering, "x.ada lovelace") == "upload"
    other = Veil(key + b"1", frozenset({offering}), frozenset(), leads=False)
    assert veil.code(student, offering) != other.code(student, offering)
