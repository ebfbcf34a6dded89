"""Which tests may record a figure is read from the text: one too many, never one too few."""

import shutil
from pathlib import Path

import pytest

from grader.authoring.calibrate.seen import may_measure, measuring_digest
from grader.errors import GradingError
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[3] / "home"


@pytest.fixture
def found(tmp_path):
    """Return which tests of a suite may measure, given its files' texts."""
    shutil.copytree(HOME, tmp_path / "home")
    lab = Catalogue(tmp_path / "home").get("tiny")
    suite = lab.reference / "suite"
    shutil.rmtree(suite)
    suite.mkdir()

    def read(**texts):
        for name, text in texts.items():
            (suite / f"{name}.py").write_text(text)
        return may_measure(lab)

    read.lab = lab
    return read


PLAIN = "def test_plain(student): pass\n"


@pytest.mark.parametrize(
    ("test", "shared"),
    [
        pytest.param("def test_a(bar): bar('x', 1)", "", id="bar"),
        pytest.param("def test_a(measured): measured('x', 1)", "", id="measured"),
        pytest.param("def test_a(ask): pass", "def ask(bar): return bar", id="by-a-fixture"),
        pytest.param(
            "def test_a(far): pass",
            "def far(near): return near\ndef near(bar): return bar",
            id="by-a-fixture-of-a-fixture",
        ),
        pytest.param("def test_a(request): request.getfixturevalue('bar')", "", id="while-it-runs"),
        pytest.param(
            "@pytest.mark.usefixtures('ask')\ndef test_a(): pass",
            "def ask(measured): measured('x', 1)",
            id="by-a-mark",
        ),
        pytest.param(
            "def test_a(request): conftest.asks(request)",
            "def asks(request): return request.getfixturevalue('bar')",
            id="by-a-helper",
        ),
        pytest.param(
            "def test_a(student): pass",
            "class Judge:\n    def ask(self, bar): bar('x', 1)\ndef student(): return Judge()",
            id="by-a-class",
        ),
    ],
)
def test_what_may_measure_is_found(found, test, shared):
    ids = found(
        test_a=f"{test}\ndef test_b(): pass\n", conftest=shared, test_plain="def test_c(): pass"
    )
    assert ids == {"test_a.py::test_a"}


def test_a_class_of_tests_counts_whole(found):
    text = "class TestA:\n    def test_a(self, bar): pass\n    def test_b(self): pass\n"
    assert found(test_a=text, test_plain=PLAIN) == {"test_a.py::TestA"}


def test_a_fixture_that_comes_unasked_lets_every_test_measure(found):
    shared = "@pytest.fixture(autouse=True)\ndef watch(measured): measured('x', 1)\n"
    assert found(test_plain=PLAIN, conftest=shared) == {"test_plain.py::test_plain"}
    shared = "@pytest.fixture(autouse=True)\ndef watch(): pass\n"
    assert found(test_plain=PLAIN, conftest=shared) == set()


def test_tests_in_folders_are_named_as_in_reports(found):
    folder = found.lab.reference / "suite" / "open"
    folder.mkdir()
    (folder / "test_a.py").write_text("def test_a(bar): pass\n")
    ids = found()
    assert ids == {"open/test_a.py::test_a"}
    before = measuring_digest(found.lab, ids)
    (folder / "test_a.py").write_text("def test_a(bar): bar('x', 1)\n")
    assert measuring_digest(found.lab, ids) != before


def test_a_file_that_python_cannot_read_is_told(found):
    with pytest.raises(GradingError, match=r"test_a.py cannot be read: .* \(<unknown>, line 1\)"):
        found(test_a="def test_a(:\n")


MEASURING = """import pytest
FAR = 3
CPU_SECONDS = 5


def near(bar):
    return bar


@pytest.mark.limits(cpu_seconds=60)
def test_a(bar):
    bar("x", FAR)
"""
NEW = """

@pytest.mark.item("a")
def test_new(student):
    pass
"""


@pytest.mark.parametrize(
    ("changed", "void"),
    [
        pytest.param(MEASURING + NEW, False, id="a-test-at-the-end"),
        pytest.param(MEASURING.replace("\n\n@", NEW + "\n\n@"), False, id="a-test-in-between"),
        pytest.param(MEASURING.replace("FAR = 3", "# Far.\nFAR = 3"), False, id="a-comment"),
        pytest.param(MEASURING.replace("60", "70"), False, id="a-limit"),
        pytest.param(MEASURING.replace("5", "6"), False, id="seconds"),
        pytest.param(MEASURING.replace("FAR = 3", "FAR = 4"), True, id="a-constant"),
        pytest.param(MEASURING.replace("return bar", "return bar or 1"), True, id="a-helper"),
        pytest.param(MEASURING.replace('"x"', '"y"'), True, id="the-test"),
        pytest.param(MEASURING.replace("@", '@pytest.mark.item("b")\n@'), True, id="its-mark"),
    ],
)
def test_only_what_a_measuring_test_sees_voids_a_calibration(found, changed, void):
    ids = found(test_a=MEASURING)
    before = measuring_digest(found.lab, ids)
    assert found(test_a=changed) >= ids
    assert (measuring_digest(found.lab, ids) != before) is void
