"""An upload becomes manifest files, or a rejection that names every reason."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import Rejected
from grader.intake import preview_upload, receive, receive_bytes, receive_files
from grader.intake.names import plain


def reasons(call, *args) -> str:
    with pytest.raises(Rejected) as caught:
        call(*args)
    return "\n".join(caught.value.reasons)


def paths(submission) -> list[str]:
    return [file.path for file in submission.files]


def test_the_same_work_has_the_same_digest_however_it_is_packed(lab, good, pack, tmp_path):
    for name, data in good.items():
        (tmp_path / "hw1" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hw1" / name).write_bytes(data)
    (tmp_path / "hw.zip").write_bytes(pack(good))
    ways = [
        receive_bytes("hw.zip", pack(good), lab),
        receive_bytes("hw.zip", pack({f"alice/hw1/{n}": d for n, d in good.items()}), lab),
        receive_files([(name.rpartition("/")[2], data) for name, data in good.items()], lab),
        receive(tmp_path / "hw1", lab),
        receive(tmp_path / "hw.zip", lab),
    ]
    assert {way.digest for way in ways} == {ways[0].digest}
    assert all(paths(way) == ["toy/layers.py", "toy/model.py"] for way in ways)
    assert all(way.ignored == () and way.notices == () for way in ways)


def test_what_the_manifest_does_not_name_is_ignored_and_listed(lab, good, pack):
    extra = {"notes.txt": b"", "conftest.py": b"evil", ".git/config": b"", "__MACOSX/._x": b""}
    accepted = receive_bytes("hw.zip", pack({**good, **extra}), lab)
    assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
    assert accepted.ignored == (
        "notes.txt",
        "conftest.py",
        "hidden files and files made by tools (2)",
    )


def test_an_optional_file_is_taken_if_it_is_there(lab, good, pack):
    accepted = receive_bytes("hw.zip", pack({**good, "results.csv": b"a,b\n"}), lab)
    assert accepted.file("results.csv") == b"a,b\n"


def test_two_files_for_one_name_are_refused_and_named(lab, good, pack):
    said = reasons(receive_bytes, "hw.zip", pack({**good, "old/toy/layers.py": b"x"}), lab)
    assert "toy/layers.py, old/toy/layers.py" in said and "Keep the one" in said


def test_the_full_path_wins_over_a_bare_name(lab, good, pack):
    accepted = receive_bytes("hw.zip", pack({**good, "layers.py": b"x = 1"}), lab)
    assert accepted.file("toy/layers.py") == good["toy/layers.py"]
    assert accepted.ignored == ("layers.py",)


def test_a_changed_copy_of_a_given_file_is_reported_and_not_taken(lab, good, pack):
    accepted = receive_bytes("hw.zip", pack({**good, "toy/__init__.py": b"import evil"}), lab)
    assert accepted.file("toy/__init__.py") is None
    assert accepted.notices == (
        "Your copy of toy/__init__.py is replaced by the course's before grading.",
    )


def test_an_unchanged_copy_of_a_given_file_is_no_news(lab, good, pack):
    copy = b'"""Ours."""\r\n'
    assert receive_bytes("x.zip", pack({**good, "toy/__init__.py": copy}), lab).notices == ()


def test_every_reason_is_given_at_once(lab, pack):
    said = reasons(receive_bytes, "hw.zip", pack({"toy/layers.py": b"\n  \n"}), lab)
    assert "toy/layers.py is empty" in said
    assert "toy/model.py is missing" in said and "skeleton" in said


def test_a_missing_file_with_a_near_name_is_found(lab, good):
    files = [("layers (1).py", good["toy/layers.py"]), ("model.py", good["toy/model.py"])]
    assert "rename 'layers (1).py'" in reasons(receive_files, files, lab)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n", "is empty", id="mark-only"),
        pytest.param(b"x = 1\ny = '\xb0\xa1'\n", "line 2 is not UTF-8", id="gbk"),
        pytest.param("x = 1".encode("utf-16"), "is not UTF-8", id="utf-16"),
        pytest.param(b"x = 1\n" * 200_000, "at most 1.0 MB", id="weights-in-source"),
    ],
)
def test_a_file_that_cannot_be_graded_is_refused(lab, good, content, why):
    files = [*(good | {"toy/layers.py": content}).items()]
    assert why in reasons(receive_files, files, lab)


@pytest.mark.parametrize(
    "content", [b"\xef\xbb\xbfx = 1\n", b"x = 1\r\ny = 2\r\n", "π = 3\n".encode()]
)
def test_marks_and_line_ends_of_windows_are_tolerated(lab, good, content):
    accepted = receive_files([*(good | {"toy/layers.py": content}).items()], lab)
    assert accepted.file("toy/layers.py") == content
    assert accepted.notices == ()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"x = 1\ndef f(:\n", "toy/layers.py line 2: SyntaxError", id="syntax"),
        pytest.param(b"if x:\nprint()\n", "line 2: IndentationError", id="indentation"),
        pytest.param(b"return 1\n", "line 1: SyntaxError: 'return' outside", id="return"),
        pytest.param(b"x = 1\0\n", "toy/layers.py: SyntaxError", id="nul"),
        pytest.param(b"x = " + b"-" * 400_000 + b"1\n", "toy/layers.py: SyntaxError", id="deep"),
        pytest.param(b"(" * 500 + b")" * 500, "line 1: SyntaxError: too many nested", id="nested"),
    ],
)
def test_a_syntax_error_is_a_notice_with_its_line(lab, good, content, said):
    accepted = receive_files([*(good | {"toy/layers.py": content}).items()], lab)
    (notice,) = accepted.notices
    assert said in notice
    assert "tests that need this file will fail" in notice


def test_an_untouched_file_is_a_notice(lab, good):
    skeleton = (lab.folder / "toy" / "layers.py").read_bytes().replace(b"\n", b"\r\n")
    accepted = receive_files([*(good | {"toy/layers.py": skeleton}).items()], lab)
    assert accepted.notices == ("toy/layers.py is still the skeleton: nothing in it was changed.",)


def test_nothing_or_too_much_is_refused(lab, pack):
    assert "is empty" in reasons(receive_files, [], lab)
    assert "is empty" in reasons(receive_bytes, "hw.zip", pack({}), lab)
    said = reasons(receive_bytes, "layers.py", bytes(5_000_001), lab)
    assert "5.0 MB; the limit is 5.0 MB" in said


def test_code_that_grows_beyond_the_limit_when_it_is_taken_out_is_refused(lab, make_notebook):
    tight = lab.limits.model_copy(update={"upload_mb": 0.05})
    magics = "x = !ls\n" * 5_000  # each becomes a line that says what was left out
    work = make_notebook("# file: layers.py\n" + magics, "# file: model.py\nx = 1\n")
    assert len(work) < 50_000
    said = reasons(receive_bytes, "work.ipynb", work, lab.model_copy(update={"limits": tight}))
    assert "The code of the upload" in said


def test_a_lone_file_of_another_kind_says_what_is_missing(lab):
    assert "toy/layers.py is missing" in reasons(receive_bytes, "essay.docx", b"words", lab)


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path, good):
        for name, data in good.items():
            (tmp_path / "hw" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "hw" / name).write_bytes(data)
        return tmp_path / "hw"

    def test_a_link_is_never_followed(self, lab, folder, tmp_path):
        (tmp_path / "secret.csv").write_text("secret")
        (folder / "results.csv").symlink_to(tmp_path / "secret.csv")
        accepted = receive(folder, lab)
        assert accepted.file("results.csv") is None
        assert "results.csv is a link and was passed over" in accepted.notices[0]

    def test_a_linked_folder_is_never_entered(self, lab, folder, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "results.csv").write_text("secret")
        (folder / "data").symlink_to(tmp_path / "elsewhere")
        assert receive(folder, lab).file("results.csv") is None

    def test_a_pipe_is_passed_over(self, lab, folder):
        os.mkfifo(folder / "results.csv")
        assert "device, pipe or socket" in receive(folder, lab).notices[0]

    def test_a_required_file_that_is_a_link_is_missing(self, lab, folder):
        (folder / "toy" / "model.py").unlink()
        (folder / "toy" / "model.py").symlink_to("layers.py")
        assert "toy/model.py is missing" in reasons(receive, folder, lab)

    def test_a_large_file_that_is_not_asked_for_costs_nothing(self, lab, folder):
        with open(folder / "data.bin", "wb") as file:
            file.truncate(1 << 40)
        assert receive(folder, lab).ignored == ("data.bin",)

    def test_a_large_file_that_is_asked_for_is_refused_unread(self, lab, folder):
        with open(folder / "results.csv", "wb") as file:
            file.truncate(1 << 40)
        assert "the limit is 5.0 MB" in reasons(receive, folder, lab)

    def test_too_many_files_are_refused(self, lab, folder):
        for number in range(2001):
            (folder / f"{number}.txt").touch()
        assert "more than 2,000 files" in reasons(receive, folder, lab)

    def test_an_absent_path_and_a_pipe_say_so(self, lab, tmp_path):
        os.mkfifo(tmp_path / "pipe.zip")
        assert "No such file" in reasons(receive, tmp_path / "nowhere", lab)
        assert "not a regular file" in reasons(receive, tmp_path / "pipe.zip", lab)


class TestNotebooks:
    def test_a_notebook_gives_the_files(self, lab, good, make_notebook):
        cells = [f"# file: {n}\n{d.decode()}" for n, d in good.items()]
        accepted = receive_bytes("hw.ipynb", make_notebook(*cells), lab)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py"]

    def test_a_notebook_goes_with_data_beside_it(self, lab, good, pack, make_notebook):
        cells = [f"# file: {n}\n{d.decode()}" for n, d in good.items()]
        upload = {"hw1/hw.ipynb": make_notebook(*cells), "hw1/results.csv": b"a\n"}
        assert receive_bytes("hw.zip", pack(upload), lab).file("results.csv") == b"a\n"

    def test_a_notebook_and_a_file_may_share_the_work(self, lab, good, make_notebook):
        cell = "# file: model.py\n" + good["toy/model.py"].decode()
        files = [("layers.py", good["toy/layers.py"]), ("hw.ipynb", make_notebook(cell))]
        assert paths(receive_files(files, lab)) == ["toy/layers.py", "toy/model.py"]

    def test_a_file_given_twice_and_differently_is_refused(self, lab, good, make_notebook):
        files = [*good.items(), ("hw.ipynb", make_notebook("# file: model.py\nx = 2"))]
        said = reasons(receive_files, files, lab)
        assert "toy/model.py is in the upload twice" in said and "Keep the one" in said

    def test_the_handed_out_notebook_beside_finished_files_does_no_harm(self, lab, good):
        released = (lab.folder / "toy.ipynb").read_bytes()
        accepted = receive_files([*good.items(), ("toy.ipynb", released)], lab)
        assert accepted.file("toy/layers.py") == good["toy/layers.py"]
        assert "Graded from the file, not from toy.ipynb" in accepted.notices[0]

    def test_finished_cells_beside_untouched_files_are_graded(self, lab, good, make_notebook):
        skeleton = (lab.folder / "toy" / "layers.py").read_bytes()
        cells = [f"# file: {n}\n{d.decode()}" for n, d in good.items()]
        files = [("layers.py", skeleton), ("hw.ipynb", make_notebook(*cells))]
        accepted = receive_files(files, lab)
        assert b"np.maximum" in accepted.file("toy/layers.py")
        assert "the file is still the skeleton" in accepted.notices[0]

    def test_the_handed_out_notebook_alone_is_stale(self, lab):
        said = reasons(receive_bytes, "x.ipynb", (lab.folder / "toy.ipynb").read_bytes(), lab)
        assert "no graded cell was changed" in said and "save it in Jupyter" in said
        assert "missing" not in said

    def test_a_notebook_without_marks_says_how_to_mark(self, lab, make_notebook):
        said = reasons(receive_bytes, "x.ipynb", make_notebook("x = 1"), lab)
        assert "'# file: toy/layers.py'" in said

    def test_two_graded_notebooks_are_refused(self, lab, pack, make_notebook):
        one = make_notebook("# file: layers.py\nx = 1")
        said = reasons(receive_bytes, "x.zip", pack({"a.ipynb": one, "b.ipynb": one}), lab)
        assert "a.ipynb and b.ipynb" in said

    def test_a_scratch_notebook_beside_complete_files_is_only_noted(self, lab, good, make_notebook):
        files = [*good.items(), ("scratch.ipynb", make_notebook("plot()"))]
        accepted = receive_files(files, lab)
        assert accepted.ignored == ("scratch.ipynb",)
        assert "was not used" in accepted.notices[0]


class TestPreview:
    def test_it_says_what_is_taken_ignored_and_missing(self, lab):
        shown = preview_upload(["hw/layers.py", "C:\\fakepath\\notes.txt"], lab)
        assert shown.taken == (("hw/layers.py", "toy/layers.py"),)
        assert shown.ignored == ("fakepath/notes.txt",)
        assert shown.missing == ("toy/model.py",)

    def test_what_must_be_opened_leaves_the_rest_open(self, lab):
        shown = preview_upload(["hw.zip", "hw.ipynb"], lab)
        assert set(shown.opened) == {"hw.zip", "hw.ipynb"}
        assert shown.missing == ()

    def test_it_names_clashes(self, lab):
        assert "2 files" in preview_upload(["a/layers.py", "b/layers.py"], lab).problems[0]

    @given(names=st.lists(st.text(max_size=40), max_size=6))
    @settings(deadline=None)
    def test_any_names_are_shown_clean(self, lab, names):
        shown = preview_upload(names, lab)
        told = "".join([*shown.ignored, *shown.opened, *(name for name, _ in shown.taken)])
        assert told.isprintable() or " " in told or "\xa0" in told


@given(name=st.text(max_size=60))
def test_a_sent_name_is_reduced_to_a_path_that_stays_below(name):
    parts = plain(name).split("/")
    assert parts and not {"", ".", ".."} & set(parts)


@settings(max_examples=40, deadline=None)
@given(files=st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=60)), max_size=4))
def test_any_files_give_a_submission_or_a_rejection(lab, files):
    try:
        receive_files(files, lab)
    except Rejected as rejected:
        assert all(rejected.reasons)


class TestLostCells:
    def test_a_required_file_that_is_a_text_cell_is_refused_by_its_cell(self, lab, good):
        made = [("code", "# file: model.py\nx = 1\n"), ("markdown", "# file: layers.py\nx = 1\n")]
        cells = [{"cell_type": kind, "metadata": {}, "source": text} for kind, text in made]
        book = json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells})
        said = reasons(receive_bytes, "hw.ipynb", book.encode(), lab)
        assert said.startswith("hw.ipynb, cell 2: it is marked for toy/layers.py, but it is a text")
        assert said.count("\n") == 0

    def test_a_file_beside_the_notebook_stands_in_for_its_cell(self, lab, good, make_notebook):
        files = [
            ("layers.py", good["toy/layers.py"]),
            ("a.ipynb", make_notebook("# file: model.py\nx = 1")),
        ]
        assert paths(receive_files(files, lab)) == ["toy/layers.py", "toy/model.py"]

    def test_a_required_file_without_a_cell_says_how_to_mark_one(self, lab, make_notebook):
        said = reasons(receive_bytes, "hw.ipynb", make_notebook("# file: model.py\nx = 1"), lab)
        assert said == (
            "toy/layers.py is missing: no cell of hw.ipynb is marked for it. To mark one, start "
            "the cell with the line '# file: toy/layers.py', or give it the tag 'toy/layers.py'."
        )

    @pytest.mark.parametrize("name", ["hw.ipynb.json", "hw.ipynb.txt", "HW.IPYNB.JSON"])
    def test_a_notebook_with_another_ending_behind_its_own_is_one(
        self, lab, good, make_notebook, pack, name
    ):
        book = make_notebook(*(f"# file: {n}\n{d.decode()}" for n, d in good.items()))
        for upload in ((name, book), ("hw.zip", pack({f"a/{name}": book}))):
            assert paths(receive_bytes(*upload, lab)) == ["toy/layers.py", "toy/model.py"]
        assert preview_upload([name], lab).opened == (name,)
