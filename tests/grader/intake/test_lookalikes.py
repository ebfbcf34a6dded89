"""Files that nobody asked for under that name, and texts that are not UTF-8: said, not lost."""

import pytest

from grader.errors import Rejected
from grader.intake import preview_upload, receive_bytes, receive_files
from grader.lab.manifest import SubmittedFile


@pytest.fixture(scope="module")
def study(lab):
    """The lab with a report and a plot, both optional."""
    more = [SubmittedFile(path=path, required=False) for path in ("report.md", "plot.png")]
    return lab.model_copy(update={"files": (*lab.files, *more)})


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("results (1).csv", "results.csv"),
        ("results-1.csv", "results.csv"),
        ("Results.csv", "results.csv"),
        ("result.csv", "results.csv"),
        ("results.csv.txt", "results.csv"),
        ("results_fnn.csv", "results.csv"),
        ("results.xlsx", "results.csv"),
        ("sweep.csv", "results.csv"),
        ("Report.md", "report.md"),
        ("report.pdf", "report.md"),
        ("report.docx", "report.md"),
        ("my report v2 final.pdf", "report.md"),
        ("实验报告.pdf", "report.md"),
        ("report.markdown", "report.md"),
        ("plot.jpg", "plot.png"),
        ("Plot.PNG", "plot.png"),
        ("figure.png", "plot.png"),
        ("hw1/plot (2).png", "plot.png"),
    ],
)
def test_a_file_with_a_near_name_is_named_before_and_after(study, good, pack, name, path):
    accepted = receive_bytes("hw.zip", pack({**good, name: b"x"}), study)
    (notice,) = accepted.notices
    assert notice.startswith(f"{path} was not handed in. '{name}' looks like it")
    assert f"{path} and upload again" in notice
    foretold = preview_upload([*good, name], study)
    assert foretold.notices == (notice,)
    assert accepted.ignored == foretold.ignored == (name,)


@pytest.mark.parametrize(
    "names",
    [
        ["notes.txt"],
        ["a.csv", "b.csv"],
        ["one.pdf", "two.pdf"],
        ["plotter.txt"],
        [".results (1).csv"],
        ["__MACOSX/._results.csv"],
        ["results.csv", "results (1).csv"],
        ["requirements.txt", "train.sh"],
    ],
)
def test_other_files_are_no_news(study, good, pack, names):
    upload = {**good, **dict.fromkeys(names, b"x")}
    assert receive_bytes("hw.zip", pack(upload), study).notices == ()
    assert preview_upload([*upload], study).notices == ()


def test_what_a_zip_may_hold_is_not_missed_before_it_is_opened(study):
    assert preview_upload(["hw.zip", "results (1).csv"], study).notices == ()
    assert preview_upload(["hw.ipynb", "results (1).csv"], study).notices != ()


TEXT = "# 报告\n\n学习率太大时，训练发散。\n"


@pytest.mark.parametrize(
    ("codec", "said"),
    [
        ("gbk", "report.md is not UTF-8; it looks like GBK and was read as that."),
        ("utf-16", "report.md is UTF-16 and was read as that."),
        ("utf-16-le", "report.md is not UTF-8; it looks like UTF-16"),
    ],
)
def test_a_report_in_another_encoding_is_read_and_said(study, good, codec, said):
    accepted = receive_files([*good.items(), ("report.md", TEXT.encode(codec))], study)
    assert accepted.file("report.md").decode() == TEXT
    assert accepted.notices[0].startswith(said)


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig"])
def test_a_report_in_utf_8_stays_as_it_is(study, good, codec):
    accepted = receive_files([*good.items(), ("report.md", TEXT.encode(codec))], study)
    assert accepted.file("report.md") == TEXT.encode(codec)
    assert accepted.notices == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"%PDF-1.7\n", "report.md is a PDF document by another name"),
        (b"PK\x03\x04\x14\x00", "report.md is a Word document"),
        (b"\xff\xfea", "report.md is not text in an encoding that is known here"),
    ],
)
def test_a_report_that_is_no_text_is_taken_as_it_is_and_said(study, good, content, said):
    accepted = receive_files([*good.items(), ("report.md", content)], study)
    assert accepted.file("report.md") == content
    assert accepted.notices[0].startswith(said)


def test_a_report_of_nothing_but_a_mark_is_empty(study, good):
    with pytest.raises(Rejected) as caught:
        receive_files([*good.items(), ("report.md", b"\xff\xfe")], study)
    assert caught.value.reasons == ["report.md is empty. Save your work in it and upload again."]
