"""A suite is cut so that another test's text never matters, and anything else always does."""

import pytest

from grader.errors import GradingError
from grader.grading.cache.sources import imported_stems, read_test_file

SUITE = '''
import pytest
LIMIT = 3

def helper(x):
    return x + LIMIT

@pytest.fixture
def prepared():
    return helper(1)

@pytest.mark.item("a")
def test_a(student, prepared):
    """A."""
    assert prepared == 4

class TestB:
    SIZE = 2

    def test_b(self, student):
        """B."""
        assert self.SIZE == 2

    def of_size(self):
        return self.SIZE
'''


def read(text):
    return read_test_file("test_x.py", text.encode())


def changed(old, new):
    assert old in SUITE
    before, after = read(SUITE), read(SUITE.replace(old, new, 1))
    return {name for name in before.own if before.digest(name) != after.digest(name)}


@pytest.mark.parametrize(
    ("old", "new", "touched"),
    [
        pytest.param("prepared == 4", "prepared == 5", {"test_a"}, id="body"),
        pytest.param('item("a")', 'item("b")', {"test_a"}, id="decorator"),
        pytest.param("(student, prepared)", "(prepared, student)", {"test_a"}, id="parameters"),
        pytest.param('"""A."""', '"""Aha."""', {"test_a"}, id="docstring"),
        pytest.param("self.SIZE == 2", "self.SIZE > 1", {"TestB::test_b"}, id="method"),
        pytest.param("LIMIT = 3", "LIMIT = 4", {"test_a", "TestB::test_b"}, id="constant"),
        pytest.param("x + LIMIT", "x - LIMIT", {"test_a", "TestB::test_b"}, id="helper"),
        pytest.param("helper(1)", "helper(2)", {"test_a", "TestB::test_b"}, id="fixture"),
        pytest.param("import pytest", "import os", {"test_a", "TestB::test_b"}, id="import"),
        pytest.param("SIZE = 2", "SIZE = 3", {"test_a", "TestB::test_b"}, id="class attribute"),
        pytest.param(
            "return self.SIZE", "return 1", {"test_a", "TestB::test_b"}, id="helper method"
        ),
        pytest.param("LIMIT = 3", "# said\nLIMIT  =  3", set(), id="comment and layout"),
    ],
)
def test_a_change_touches_only_what_it_can_reach(old, new, touched):
    assert changed(old, new) == touched


@pytest.mark.parametrize(
    "reach",
    [
        pytest.param("again = test_a", id="alias"),
        pytest.param("def more():\n    return TestB().test_b(None)", id="method called"),
        pytest.param('again = globals()["test_" + "a"]', id="globals"),
        pytest.param("import inspect", id="inspect"),
    ],
)
def test_a_file_that_uses_its_tests_is_one_piece(reach):
    before = read(SUITE + reach)
    after = read(SUITE.replace("prepared == 4", "prepared == 5") + reach)
    assert before.digest("TestB::test_b") != after.digest("TestB::test_b")


def test_a_test_that_is_no_plain_function_stands_for_the_whole_file():
    made = SUITE + "\ntest_made = helper\n"
    other = made.replace("prepared == 4", "prepared == 5")
    assert read(made).digest("test_made") != read(other).digest("test_made")


def test_the_second_test_of_a_name_counts_too():
    twice = SUITE + "\ndef test_a(student):\n    assert 1\n"
    other = twice.replace("assert 1", "assert 2")
    assert read(twice).digest("test_a") != read(other).digest("test_a")


def test_imports_are_seen_however_they_are_written():
    text = (
        b'import a.test_b\nfrom .test_c import x\npytest_plugins = "suite.test_d"\nrun("test_e.py")'
    )
    assert {"test_b", "test_c", "test_d", "test_e"} <= imported_stems(text)


def test_a_file_that_is_no_python_is_our_fault():
    with pytest.raises(GradingError, match=r"test_x\.py"):
        read("def (")
