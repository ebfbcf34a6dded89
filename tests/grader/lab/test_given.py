"""Given files come from the lab's folder, loaders of data from where labs share them."""

from pathlib import Path

import pytest

from grader.errors import ManifestError
from grader.from_scratch.lab_check import own_findings
from grader.grading.digest import lab_files
from grader.intake.contents import notice_on_given
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.lab.given import given_file
from grader.lab.handout import handout_files
from grader.public_tests import run_public_tests
from grader.report import Outcome

MANIFEST = """
schema = 1
slug = "toy"
title = "A small lab"
[limits]
cpu_seconds = 60
[[files]]
path = "toy/answer.py"
from_scratch = ["math.sqrt"]
[[given]]
path = "toy/__init__.py"
[[given]]
path = "toy/datasets/__init__.py"
[[parts]]
id = "one"
title = "One"
[[parts.items]]
id = "item"
title = "An item"
points = 1
"""
LOADER = "toy/datasets/__init__.py"
PUBLIC_TEST = "def test_it():\n    from toy.datasets import VALUE\n    assert VALUE == 1\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    public = tmp_path / "assignments" / "toy"
    (public / "toy").mkdir(parents=True)
    (public / "assignment.toml").write_text(MANIFEST)
    (public / "toy" / "__init__.py").write_text("")
    (public / "test_toy.py").write_text(PUBLIC_TEST)
    (tmp_path / "reference" / "toy").mkdir(parents=True)
    (tmp_path / "reference" / "datasets").mkdir()
    (tmp_path / "reference" / "datasets" / "__init__.py").write_text("VALUE = 1\n")
    return tmp_path


@pytest.fixture
def shared(home: Path) -> Path:
    return home / "reference" / "datasets" / "__init__.py"


@pytest.fixture
def old_copy(home: Path) -> Path:
    """What a release left behind before the loader was changed."""
    copy = home / "assignments" / "toy" / LOADER
    copy.parent.mkdir()
    copy.write_text("VALUE = 0\n")
    return copy


@pytest.fixture
def lab(home: Path):
    return Catalogue(home).get("toy")


@pytest.fixture
def submission() -> Submission:
    return Submission("ada", (AcceptedFile("toy/answer.py", b"X = 1\n"),))


def test_a_loader_is_the_one_that_labs_share(home, shared, old_copy):
    assert given_file(home / "assignments" / "toy", LOADER) == shared


def test_without_the_staff_half_a_loader_is_the_released_copy(home, shared, old_copy):
    shared.unlink()
    assert given_file(home / "assignments" / "toy", LOADER) == old_copy


@pytest.mark.parametrize("path", ["toy/answer.py", "datasets/__init__.py", "other/datasets/x.py"])
def test_nothing_but_loaders_comes_from_the_staff_half(home, path):
    public = home / "assignments" / "toy"
    for staff in (home / "reference" / "toy" / "answer.py", home / "reference" / "answer.py"):
        staff.write_text("SECRET = 1\n")
    assert given_file(public, path) == public / path


def test_a_lab_whose_loader_is_nowhere_is_broken(home, shared):
    shared.unlink()
    with pytest.raises(ManifestError, match=r"given\.1\.path.*no file 'toy/datasets"):
        Catalogue(home).get("toy")


def test_what_is_handed_out_holds_the_shared_loader(lab, old_copy):
    files = handout_files(lab.assignment)
    assert list(files) == ["assignment.toml", "test_toy.py", "toy/__init__.py", LOADER]
    assert files[LOADER] == b"VALUE = 1\n"


def test_public_tests_meet_the_shared_loader(lab, old_copy, submission):
    (result,) = run_public_tests(lab, submission)
    assert result.outcome is Outcome.PASSED


def test_the_digest_of_a_lab_holds_the_shared_loader(lab, old_copy, shared):
    assert dict(lab_files(lab))[f"given/{LOADER}"] == shared


def test_the_shared_loader_is_read_for_what_is_to_be_written_from_scratch(lab, shared, submission):
    shared.write_text("import math\nVALUE = math.sqrt(1)\n")
    assert own_findings(lab, submission) == [f"{LOADER}:2 math.sqrt"]


def test_a_students_copy_is_compared_with_the_shared_loader(lab, old_copy):
    assert list(notice_on_given(LOADER, b"VALUE = 1\n", lab.assignment)) == []
    assert list(notice_on_given(LOADER, b"VALUE = 0\n", lab.assignment)) == [
        f"Your copy of {LOADER} is replaced by the course's before grading."
    ]
