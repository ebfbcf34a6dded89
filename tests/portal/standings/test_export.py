"""Nothing a student can name makes a spreadsheet compute."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.report.export import safe_cell

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
