"""Modules of a student's own: taken with the files that are asked for, however these come."""

import pytest

from grader.errors import Rejected
from grader.intake import preview_upload, receive, receive_bytes, receive_files
from grader.intake.own import MOST_OWN

OWN = b"def slope(x):\n    return x\n"


def paths(submission):
    return [file.path for file in submission.files]


def ways(good, pack, tmp_path, lab):
    """Hand the same work in as a zip, in folders of a zip, as a folder and as single files."""
    work = {**good, "toy/own.py": OWN}
    for name, data in work.items():
        (tmp_path / "hw" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "hw" / name).write_bytes(data)
    yield receive_bytes("hw.zip", pack(work), lab)
    yield receive_bytes("hw.zip", pack({f"./ada/hw1/{n}": d for n, d in work.items()}), lab)
    yield receive_bytes("hw.zip", pack({n.partition("/")[2]: d for n, d in work.items()}), lab)
    yield receive(tmp_path / "hw", lab)
    yield receive(tmp_path / "hw" / "toy", lab)
    yield receive_files([(n.partition("/")[2], d) for n, d in work.items()], lab)


def test_a_module_of_ones_own_is_taken_however_it_is_packed(lab, good, pack, tmp_path):
    found = [*ways(good, pack, tmp_path, lab)]
    assert all(paths(one) == ["toy/layers.py", "toy/model.py", "toy/own.py"] for one in found)
    assert {one.digest for one in found} == {found[0].digest}
    assert all(one.ignored == () and one.notices == () for one in found)


def test_it_counts_in_the_digest(lab, good):
    plain = receive_files([*good.items()], lab)
    one = receive_files([*good.items(), ("toy/own.py", OWN)], lab)
    other = receive_files([*good.items(), ("toy/own.py", OWN + b"\n")], lab)
    assert len({plain.digest, one.digest, other.digest}) == 3


def test_it_is_foretold(lab, good):
    shown = preview_upload([*good, "toy/own.py", "toy/ops/__init__.py", "plot.py"], lab)
    assert ("toy/own.py", "toy/own.py") in shown.taken
    assert ("toy/ops/__init__.py", "toy/ops/__init__.py") in shown.taken
    assert shown.ignored == ("plot.py",)
    loose = preview_upload(["layers.py", "model.py", "own.py"], lab)
    assert loose.taken[2] == ("own.py", "toy/own.py")


@pytest.mark.parametrize(
    "name",
    [
        "toy/conftest.py",
        "toy/test_own.py",
        "toy/own_test.py",
        "toy/ops/conftest.py",
        "toy/setup.py",
        "toy/__main__.py",
        "toy/Layers.py",
        "toy/layers/__init__.py",
        "toy/layers/more.py",
        "toy/own (1).py",
        "toy/my-own.py",
        "toy/1st.py",
        "toy/ÿ.py",
        "toy/own.pyc",
        "toy/own.so",
        "toy/.own.py",
        "toy/__pycache__/own.py",
        "own.py",
        "other/own.py",
        "numpy/__init__.py",
        "toy.py",
    ],
)
def test_what_is_no_module_of_the_package_or_would_hide_ours_is_not_taken(lab, good, pack, name):
    files = dict(good)
    if name == "toy/Layers.py":  # a zip with both is refused: some systems know one name
        del files["toy/layers.py"]
        with pytest.raises(Rejected, match="toy/layers.py is missing; rename 'toy/Layers.py'"):
            receive_bytes("hw.zip", pack({**files, name: OWN}), lab)
        return
    accepted = receive_bytes("hw.zip", pack({**files, name: OWN}), lab)
    assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
    assert accepted.ignored


def test_a_given_file_is_never_taken(lab, good, pack):
    given = lab.model_copy(update={"given": (*lab.given, type(lab.given[0])(path="toy/data/a.py"))})
    names = ["toy/data/a.py", "toy/data/A.py", "toy/data/a/__init__.py", "toy/data/a/b.py"]
    for name in names:
        accepted = receive_bytes("hw.zip", pack({**good, name: OWN}), given)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py"], name


def test_files_in_two_folders_leave_it_open_which_is_the_package(lab, good, pack):
    work = {
        "a/layers.py": good["toy/layers.py"],
        "b/model.py": good["toy/model.py"],
        "a/own.py": OWN,
    }
    assert paths(receive_bytes("hw.zip", pack(work), lab)) == ["toy/layers.py", "toy/model.py"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(b"x = '\xff'\n", "toy/own.py line 1 is not UTF-8", id="latin-1"),
        pytest.param(b"x = 1\n" * 200_000, "toy/own.py has 1.2 MB", id="large"),
    ],
)
def test_one_that_is_no_python_is_left_out_and_said(lab, good, content, why):
    accepted = receive_files([*good.items(), ("toy/own.py", content)], lab)
    assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
    assert accepted.notices[0].startswith(why) and "It was not taken." in accepted.notices[0]
    assert accepted.ignored == ("toy/own.py",)


def test_a_mistake_in_one_is_a_notice(lab, good):
    accepted = receive_files([*good.items(), ("toy/own.py", b"def f(:\n")], lab)
    assert "toy/own.py" in paths(accepted)
    assert "toy/own.py line 1: SyntaxError" in accepted.notices[0]


def test_an_empty_one_is_taken(lab, good):
    accepted = receive_files([*good.items(), ("toy/ops/__init__.py", b"")], lab)
    assert "toy/ops/__init__.py" in paths(accepted) and accepted.notices == ()


def test_too_many_are_not_taken_and_said(lab, good, pack):
    many = {f"toy/own{n}.py": OWN for n in range(MOST_OWN + 1)}
    accepted = receive_bytes("hw.zip", pack({**good, **many}), lab)
    assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
    assert "51 Python files beside those asked for; up to 50 are taken" in accepted.notices[0]
    foretold = preview_upload([*good, *many], lab)
    assert len(foretold.taken) == 2 and foretold.notices == accepted.notices
    many.popitem()
    assert len(receive_bytes("hw.zip", pack({**good, **many}), lab).files) == 2 + MOST_OWN


class TestNotebooks:
    @pytest.fixture
    def cells(self, good):
        return [f"# file: {n}\n{d.decode()}" for n, d in good.items()]

    @pytest.mark.parametrize("mark", ["# file: own.py", "# file: toy/own.py", "%%writefile own.py"])
    def test_a_cell_may_be_one(self, lab, cells, make_notebook, mark):
        book = make_notebook(*cells, f"{mark}\n{OWN.decode()}")
        accepted = receive_bytes("hw.ipynb", book, lab)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py", "toy/own.py"]
        assert accepted.notices == ()

    @pytest.mark.parametrize(
        "name", ["../own.py", "conftest.py", "__init__.py", "a b.py", "/x/o.py"]
    )
    def test_other_names_are_said(self, lab, cells, make_notebook, name):
        accepted = receive_bytes("hw.ipynb", make_notebook(*cells, f"# file: {name}\nx = 1"), lab)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
        assert name == "a b.py" or "the cell is not graded" in accepted.notices[0]

    def test_one_beside_the_notebook_is_taken(self, lab, cells, make_notebook, pack):
        work = {"hw/a.ipynb": make_notebook(*cells), "hw/toy/own.py": OWN}
        accepted = receive_bytes("hw.zip", pack(work), lab)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py", "toy/own.py"]

    def test_two_cells_for_one_are_said_and_not_taken(self, lab, cells, make_notebook):
        twice = ["# file: own.py\nx = 1", "# file: own.py\nx = 2"]
        accepted = receive_bytes("hw.ipynb", make_notebook(*cells, *twice), lab)
        assert paths(accepted) == ["toy/layers.py", "toy/model.py"]
        assert "cells 3 and 4 are all marked as toy/own.py" in accepted.notices[0]

    def test_a_notebook_with_nothing_else_is_no_graded_one(self, lab, good, make_notebook):
        files = [*good.items(), ("a.ipynb", make_notebook("# file: own.py\nx = 1"))]
        accepted = receive_files(files, lab)
        assert accepted.notices == ("a.ipynb was not used: your other files are complete.",)
