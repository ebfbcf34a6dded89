"""The gradebook as CSV: nothing a student can name makes a spreadsheet compute; points by item."""

import csv
import io
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from support.labs import mark_by_hand
from support.portal import START
from support.reports import class_report

from grader.report.export import safe_cell
from portal.courses.models import Offering, OfferingKind
from portal.platform.db import read_session

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "|calc", "＝1"]


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_text(text):
    assert safe_cell(text).startswith("'")


@given(st.text())
def test_no_cell_starts_as_a_formula_after_spaces(text):
    assert not safe_cell(text).lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))


def test_ordinary_names_stay_as_they_are():
    assert safe_cell("Ada Lovelace") == "Ada Lovelace"


def test_the_download_holds_no_formula_and_is_in_the_audit_log(classroom, log_in, make_member):
    classroom.send(classroom.enrol("eve", display_name='=HYPERLINK("http://x")'), 7.0)
    classroom.enrol("bob")
    make_member("tess", "ta")
    answer = log_in("tess").get(f"/staff/{classroom.term.slug}/gradebook.csv")
    rows = list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert answer.mimetype == "text/csv"
    by_user = {row[0]: row for row in rows[1:]}
    assert by_user["eve"][1].startswith("'=")
    assert by_user["eve"][-1] == "7.00"
    assert by_user["bob"][3] == ""


LAB = "Lab 1: A demo lab"
FIRST, SECOND = f"{LAB}: The first thing (10)", f"{LAB}: The second thing (4)"


def by_item(browser, term, query="?by=item"):
    """Return the lines of the download by username, each by column."""
    answer = browser.get(f"/staff/{term.slug}/gradebook.csv{query}")
    assert answer.mimetype == "text/csv"
    lines = csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff")))
    return {line["username"]: line for line in lines}


def report_of(**scores):
    """Return a report with these points by item; None is one that nobody could judge."""
    report = class_report(sum(filter(None, scores.values())), "AssertionError: 0.5")
    (part,) = report.parts
    item = part.items[0]
    items = tuple(
        item.model_copy(update={"id": name, "score": score, "max_score": 7})
        for name, score in scores.items()
    )
    return report.model_copy(update={"parts": (part.model_copy(update={"items": items}),)})


@pytest.fixture
def tess(site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


def test_each_item_has_a_column_before_its_lab(classroom, tess):
    classroom.send_reports(
        classroom.enrol("ada"), report_of(first=6.5, second=1.25), report_of(first=1.0, second=0.0)
    )
    classroom.enrol("bob")
    lines = by_item(tess, classroom.term)
    header = list(lines["ada"])
    assert header[3:6] == [FIRST, SECOND, f"{LAB}: share kept"]
    assert header[6].startswith(f"{LAB} (")
    ada = lines["ada"]
    assert (ada[FIRST], ada[SECOND], ada[f"{LAB}: share kept"]) == ("6.5", "1.25", "1")
    assert set(lines["bob"].values()) == {"bob", "Bob", "", "0.00"}
    assert f"{LAB}: share kept" not in by_item(tess, classroom.term, "")["ada"]


def test_points_by_item_come_to_the_labs_points(classroom, tess, site, home):
    mark_by_hand(home)
    ada = classroom.enrol("ada")
    classroom.send_reports(ada, report_of(first=6.5))
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{site.offering_id}/marks"
    assert tess.post(place, data={"item": "report", "points": "3.5"}).status_code == 303
    line = by_item(tess, classroom.term)["ada"]
    assert (line[FIRST], line[SECOND]) == ("6.5", "3.5")
    (official,) = (cell for name, cell in line.items() if name.startswith(f"{LAB} ("))
    # The run could give 14 by tests, and people 4.
    assert float(official) == pytest.approx(10 / 18 * 14, abs=0.005)


def test_what_is_not_judged_is_empty_and_what_the_lab_has_no_more_stays(classroom, tess):
    ada, bob = classroom.enrol("ada"), classroom.enrol("bob")
    classroom.send_reports(ada, report_of(first=6.0, second=None))
    classroom.send_reports(bob, report_of(first=5.0, third=2.0))
    lines = by_item(tess, classroom.term)
    assert (lines["ada"][SECOND], lines["ada"][f"{LAB}: third"]) == ("", "")
    assert (lines["bob"][SECOND], lines["bob"][f"{LAB}: third"]) == ("", "2")


def test_lateness_is_the_share_that_is_kept(classroom, tess, site):
    due = START + timedelta(days=1)
    site.change_offering(due_at=due, closes_at=due + timedelta(days=9), late_percent=Decimal(10))
    ada = classroom.enrol("ada")
    classroom.send_reports(ada, report_of(first=7.0), at=due + timedelta(hours=12))
    line = by_item(tess, classroom.term)["ada"]
    assert (line[FIRST], line[f"{LAB}: share kept"]) == ("7", "0.9")


def test_an_offering_that_one_mark_scores_has_it_as_its_item(classroom, tess, site):
    ada = classroom.enrol("ada")
    with read_session(site.engine) as session:
        feedback = session.scalars(
            select(Offering).where(Offering.kind == OfferingKind.FEEDBACK)
        ).one()
    place = f"/staff/{classroom.term.slug}/gradebook/{ada.id}/{feedback.id}/marks"
    assert tess.post(place, data={"item": "whole", "points": "3"}).status_code == 303
    line = by_item(tess, classroom.term)["ada"]
    (own,) = (name for name in line if name.startswith(f"{feedback.title}: {feedback.title}"))
    assert line[own] == "3"


def test_a_lab_marked_without_names_has_no_items_for_who_is_bound(classroom, tess, site):
    classroom.send_reports(classroom.enrol("ada"), report_of(first=6.5, second=1.0))
    site.make_member("ines", "instructor")
    ines = site.log_in("ines")
    site.change_offering(anonymous=True, published=True)
    assert FIRST not in by_item(tess, classroom.term)["ada"]
    assert by_item(ines, classroom.term)["ada"][FIRST] == "6.5"
    site.change_offering(marks_published=True)
    assert by_item(tess, classroom.term)["ada"][FIRST] == "6.5"


def test_the_titles_of_items_hold_no_formula(classroom, home, tess):
    manifest = home / "assignments" / "demo" / "assignment.toml"
    manifest.write_text(manifest.read_text().replace("The first thing", "=1+1"))
    classroom.send_reports(classroom.enrol("ada"), report_of(first=6.5, **{"=2+2": 1.0}))
    header = list(by_item(tess, classroom.term)["ada"])
    assert f"{LAB}: =1+1 (10)" in header  # behind the lab's title
    assert not any(cell.startswith("=") for cell in header)


def test_the_gradebook_leads_to_both_downloads_and_both_are_in_the_history(classroom, tess, site):
    page = tess.get(f"/staff/{classroom.term.slug}/gradebook").text
    assert f'href="/staff/{classroom.term.slug}/gradebook.csv"' in page
    assert f'href="/staff/{classroom.term.slug}/gradebook.csv?by=item"' in page
    answer = tess.get(f"/staff/{classroom.term.slug}/gradebook.csv?by=item")
    name = f"gradebook-{classroom.term.slug}-items.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
