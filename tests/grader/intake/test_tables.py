"""A table that a manifest names columns for reaches the suite in its plain form, or is refused."""

import pytest

from grader.errors import Rejected
from grader.intake import preview_upload, receive_bytes, receive_files
from grader.lab.manifest import SubmittedFile
from grader.lab.table import Column

PLAIN = b"factor,metric\ndepth,-3.5\nwidth,0.25\n"
ODD = "Factor;metric\r\ndepth;-3,5\r\nwidth;0,25\r\n".encode("utf-16")
WRONG = b"factor,metric\ndepth,-3.5\nwidth,much\n"


@pytest.fixture(scope="module")
def study(lab):
    """The lab with two columns asked of its table."""
    columns = {"factor": Column.TEXT, "metric": Column.NUMBER}
    table = SubmittedFile(path="results.csv", required=False, columns=columns)
    return lab.model_copy(update={"files": (*lab.files[:2], table)})


def test_a_plain_table_stays_byte_for_byte(study, good):
    for data in (PLAIN, PLAIN.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + PLAIN):
        accepted = receive_files([*good.items(), ("results.csv", data)], study)
        assert accepted.file("results.csv") == data
        assert accepted.notices == ()


def test_an_odd_table_is_graded_in_its_plain_form_and_said(study, good):
    accepted = receive_files([*good.items(), ("results.csv", ODD)], study)
    assert accepted.file("results.csv") == PLAIN
    assert accepted.notices == (
        "results.csv has the encoding UTF-16, semicolons between cells, other letters in its "
        "header and decimal commas. It was read all the same: 2 lines.",
    )


def test_the_same_cells_are_the_same_work(study, good):
    odd, plain = (
        receive_files([*good.items(), ("results.csv", data)], study) for data in (ODD, PLAIN)
    )
    assert odd.digest == plain.digest


def test_a_wrong_table_is_refused_with_line_and_mend(study, good, pack):
    with pytest.raises(Rejected) as caught:
        receive_bytes("hw.zip", pack({**good, "results.csv": WRONG}), study)
    assert caught.value.reasons == [
        "results.csv line 3: metric is 'much', not a number such as 0.25. Mend it, or leave the "
        "file out."
    ]


def test_a_table_of_empty_lines_is_refused_by_their_number(study, good):
    with pytest.raises(Rejected) as caught:
        receive_files([*good.items(), ("results.csv", PLAIN + b"\n" * 4_000_000)], study)
    (reason,) = caught.value.reasons
    assert reason.startswith("results.csv: it has 4,000,003 lines; a table may have 20,000.")


def test_the_preview_says_what_the_upload_would(study, good):
    names = [*good, "results.csv"]
    odd = preview_upload(names, study, {"results.csv": ODD})
    assert odd.notices == receive_files([*good.items(), ("results.csv", ODD)], study).notices
    wrong = preview_upload(names, study, {"results.csv": WRONG})
    with pytest.raises(Rejected) as caught:
        receive_files([*good.items(), ("results.csv", WRONG)], study)
    assert wrong.problems == tuple(caught.value.reasons)
    assert preview_upload(names, study).problems == ()


def test_the_preview_reads_only_what_would_be_taken(study, good):
    found = preview_upload([*good, "other.csv"], study, {"other.csv": WRONG})
    assert found.problems == ()
