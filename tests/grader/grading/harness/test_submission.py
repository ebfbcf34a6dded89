"""What a suite sees of the files that are data: bytes, texts, and tables by their columns."""

import pytest

from grader.grading.harness.fixtures import SubmittedFiles
from grader.intake import AcceptedFile, Submission
from grader.lab.manifest import SubmittedFile
from grader.lab.table import Column, TableRow

COLUMNS = {"factor": Column.TEXT, "metric": Column.NUMBER}


def handed_in(**files):
    """Return what the fixture gives for a lab that asks for a table and a text."""
    asked = (SubmittedFile(path="results.csv", columns=COLUMNS), SubmittedFile(path="report.md"))
    accepted = tuple(AcceptedFile(name.replace("_", "."), data) for name, data in files.items())
    return SubmittedFiles(asked, Submission("x", accepted))


@pytest.mark.parametrize("data", [b"factor,metric\na,0.5\n", b"Factor;Metric\na;0,5\n"])
def test_a_table_is_read_by_its_columns(data):
    rows = handed_in(results_csv=data).table("results.csv")
    assert rows == [TableRow(2, {"factor": "a", "metric": "0.5"})]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "results.csv was not handed in"),
        ({"results_csv": b"factor,metric\na,x\n"}, "results.csv: line 2: metric is 'x'"),
        ({"results_csv": b"\n" * 10_000_000}, "results.csv: it has 10,000,000 lines"),
    ],
)
def test_what_is_no_table_fails_the_test_that_asks(files, said):
    with pytest.raises(AssertionError, match=said):
        handed_in(**files).table("results.csv")


def test_a_file_without_columns_is_no_table():
    with pytest.raises(KeyError):
        handed_in(report_md=b"a,b\n1,2\n").table("report.md")


def test_the_size_of_code_counts_modules_of_the_students_own_and_no_data():
    files = {"net_py": b"12345", "own_py": b"123", "plot_png": b"1" * 99}
    assert handed_in(**files).code_bytes() == 8
