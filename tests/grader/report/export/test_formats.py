"""Reports in the formats of others say the same, and carry no trick into them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import ProctorError
from grader.report import Outcome, Report
from grader.report.export import (
    for_spreadsheets,
    from_json,
    to_csv,
    to_gradescope,
    to_json,
    to_junit,
    write_atomically,
)
from grader.report.export.csv_table import safe_cell

MakeReport = Callable[..., Report]


@pytest.mark.parametrize(
    ("table", "mark"), [("name\r\nada\r\n", b""), ("name\r\n张三\r\n", b"\xef\xbb\xbf")]
)
def test_a_table_bears_a_mark_where_a_spreadsheet_would_guess(table, mark):
    assert for_spreadsheets(table) == mark + table.encode()


def test_a_json_row_has_what_scripts_rely_on(make_report: MakeReport):
    (row,) = json.loads(to_json([make_report()]))
    assert row["name"] == "ada.zip"
    assert (row["status"], row["score"], row["max_score"]) == ("graded", 2.0, 6.0)
    assert (row["cpu_seconds"], row["tier"]) == (1.5, 1)
    assert (
        row["tests"][1]
        | {
            "id": "test_a.py::test_large",
            "item": "softmax",
            "outcome": "failed",
            "score": 0.0,
            "max_score": 1.0,
        }
        == row["tests"][1]
    )


def test_json_can_be_read_back(
    make_report: MakeReport, rejected_report: Report, faulty_report: Report
):
    reports = [make_report(), rejected_report, faulty_report]
    assert from_json(to_json(reports)) == reports


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"name": 1}]', "[" * 100_000])
def test_a_file_of_something_else_is_refused_with_the_mend(text: str):
    with pytest.raises(ProctorError, match="run --json"):
        from_json(text)


def test_a_run_without_a_score_is_no_zero_in_any_format(faulty_report: Report):
    (row,) = json.loads(to_json([faulty_report]))
    assert row["score"] is None
    (cells,) = csv.DictReader(io.StringIO(to_csv([faulty_report])))
    assert cells["score"] == ""
    assert "score" not in json.loads(to_gradescope(faulty_report))
    assert "tests" not in json.loads(to_gradescope(faulty_report))
    assert ET.fromstring(to_junit([faulty_report])).find(".//error") is not None


def test_csv_has_a_column_for_every_item(make_report: MakeReport, rejected_report: Report):
    first, second = csv.DictReader(io.StringIO(to_csv([make_report(), rejected_report])))
    assert (first["softmax"], first["fit"], first["essay"]) == ("1", "1", "")
    assert second["softmax"] == ""
    assert "add it" in second["messages"]


@pytest.mark.parametrize("start", list("=+-@|%") + ["\t=", " =", "\r\n+", "\u200b=", "\uff1d"])
def test_a_spreadsheet_computes_nothing(make_report: MakeReport, start: str):
    report = make_report(submission=f"{start}HYPERLINK(1)", messages=(f"{start}cmd",))
    (cells,) = csv.DictReader(io.StringIO(to_csv([report])))
    assert cells["name"].startswith("'")
    assert cells["messages"].startswith("'")


@given(st.text())
def test_no_text_becomes_a_formula_or_a_second_row(text: str):
    cell = safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert "\n" not in cell


def test_junit_counts_and_names_what_was_lost(make_report: MakeReport):
    suite = ET.fromstring(to_junit([make_report()])).find("testsuite")
    assert suite is not None
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "4", "failures": "1", "errors": "0", "skipped": "1"}
    failure = suite.find(".//failure")
    assert failure is not None
    assert failure.text == "AssertionError: 3 of 4 values differ"


@pytest.mark.parametrize("outcome", [o for o in Outcome if o is not Outcome.PASSED])
def test_junit_never_reads_a_lost_test_as_passed(make_report: MakeReport, outcome: Outcome):
    report = make_report()
    lost = tuple(test.model_copy(update={"outcome": outcome}) for test in report.tests)
    root = ET.fromstring(to_junit([report.model_copy(update={"tests": lost})]))
    assert all(len(case) == 1 for case in root.iter("testcase"))


@given(st.text())
def test_junit_is_well_formed_whatever_was_printed(text: str):
    report = Report.model_validate(
        {
            "assignment": "lab",
            "assignment_title": text,
            "submission": text,
            "digest": "",
            "status": "rejected",
            "messages": (text,),
            "score": None,
            "max_score": 0,
        }
    )
    ET.fromstring(to_junit([report]).encode())


def test_gradescope_gets_its_fields(make_report: MakeReport):
    results = json.loads(to_gradescope(make_report()))
    assert results["score"] == 2.0
    assert "execution_time" not in results  # student code chooses it, and students may see it
    assert results["stdout_visibility"] == "hidden"
    hidden, visible = results["tests"][1], results["tests"][3]
    assert (hidden["status"], hidden["visibility"]) == ("failed", "hidden")
    assert (visible["status"], visible["visibility"]) == ("passed", "visible")
    assert (hidden["score"], hidden["max_score"], hidden["number"]) == (0.0, 1.0, "2")
    assert "the usual mistake: Subtract" in hidden["output"]


def test_gradescope_gets_no_detail_of_a_hidden_test(make_report: MakeReport):
    text = to_gradescope(make_report())
    assert "3 of 4 values" not in text
    assert "debug print" not in text
    assert "test_large" not in text


def test_a_file_is_replaced_whole(tmp_path: Path):
    target = tmp_path / "new" / "out.json"
    write_atomically(target, "one")
    write_atomically(target, "two")
    assert target.read_text() == "two"
    assert [file.name for file in target.parent.iterdir()] == ["out.json"]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    target = tmp_path / "out.json"
    write_atomically(target, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(target, "\ud800")
    assert target.read_text() == "old"
