"""What a student is told of hidden tests, by real runs: a cause each, and nothing of the inputs."""

import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import grader.suite
from grader.authoring import reference_submission
from grader.grading import GradingPool
from grader.grading.harness.messages import Message, read_messages, told_by
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Catalogue
from grader.report import Outcome, RunStatus
from grader.report.explain import explain, render_text
from grader.report.export import to_gradescope
from grader.report.redaction import for_student
from grader.sandbox import Tier, best_tier

MESSAGES_COUNTED = 500  # for the bits of a test, in tests/grader/report/test_diagnosis.py
HOME = Path(__file__).parents[3] / "home"

pytestmark = pytest.mark.skipif(
    best_tier() is Tier.PROCESS, reason="needs Landlock: submissions run in a sandbox"
)

SUITE = '''
import numpy as np
import pytest

from grader.suite import as_array, as_number, as_object, assert_matches, expect_raises, require
from grader.suite import require_unchanged

SEEN = 31415.9265
X = np.array([[SEEN, 2.0, 3.0], [4.0, 5.0, -6.0]])


def ask(student, case):
    return student.maths.double(X, case)


@pytest.mark.item("double")
@pytest.mark.hint("The usual mistake.")
@pytest.mark.parametrize(
    "case",
    [
        "right", "list", "float32", "flat", "turned", "nan", "sign", "half", "long", "wide",
        "own_name", "own_message", "type_error", "object", "unwritten", "deep",
        pytest.param("off", marks=pytest.mark.hint("The mistake of this case.")),
    ],
)
def test_answer(student, case):
    """The answer."""
    assert_matches(ask(student, case), 2 * X)


@pytest.mark.item("double")
@pytest.mark.parametrize("case", ["right", "type_error", "unwritten", "own_name"])
def test_refusal(student, case):
    """A refusal."""
    with expect_raises(ValueError):
        ask(student, case)


@pytest.mark.item("double")
def test_argument(student):
    """The argument stays."""
    require_unchanged(student, student.maths.double, X, "in_place")


@pytest.mark.item("double")
@pytest.mark.parametrize("case", ["plain", "named", "built", "failed", "passed_on", "bare"])
def test_message(case):
    """A message."""
    if case == "plain":
        require(SEEN < 0, "the answer is 0 everywhere")
    if case == "named":
        require(SEEN < 0, message="it never stops")
    if case == "built":
        require(SEEN < 0, f"the answer is {SEEN:.2f} everywhere")
    if case == "failed":
        pytest.fail(f"{SEEN} changes nothing")
    if case == "passed_on":
        say("a message from elsewhere 31415.9265")
    assert case == "bare" and SEEN < 0, "a bare message 31415.9265"


def say(words):
    require(SEEN < 0, words)


@pytest.mark.item("double")
@pytest.mark.hint("A hint that would mislead.")
@pytest.mark.depends("test_argument")
def test_second(student):
    """The second step."""


@pytest.mark.item("double")
@pytest.mark.hint("Another that would mislead.")
@pytest.mark.depends("test_second")
def test_third(student):
    """The third step."""


@pytest.mark.item("partial")
def test_partial(student):
    """The rest."""


@pytest.mark.item("linear")
def test_linear(student):
    """The rest of the rest."""
'''
MATHS = """
import numpy as np


class Own:
    pass


def double(x, case):
    seen = repr(x[0, 0])
    if case == "in_place":
        x *= 2
        return x
    if case == "own_name":
        raise type("Seen_" + seen.replace(".", "_"), (Exception,), {})(seen)
    if case == "own_message":
        raise ValueError(seen)
    if case == "type_error":
        raise TypeError(seen)
    if case == "unwritten":
        raise NotImplementedError(seen)
    if case == "deep":
        return [[seen]] * 30
    if case == "object":
        return type("Seen_" + seen.replace(".", "_"), (), {})()
    right = 2 * x
    return {
        "right": right,
        "list": right.tolist(),
        "float32": right.astype(np.float32),
        "flat": right.ravel(),
        "turned": right.T,
        "nan": right * np.nan,
        "sign": -right,
        "half": right / 2,
        "off": right + (x == 2),
        "long": np.empty((31415, 0)),
        "wide": np.empty((1, 1, 1, 31415, 0, 0, 0)),
    }[case]


def estimate(n):
    return 3.0
"""
TOLD = {
    "test_answer[right]": None,
    "test_answer[list]": ("kind", "array", "list"),
    "test_answer[float32]": ("dtype", "float64", "float32"),
    "test_answer[flat]": ("axes", "2", "1"),
    "test_answer[turned]": ("shape", "", "swapped"),
    "test_answer[nan]": ("not_finite", "", ""),
    "test_answer[sign]": ("value", "", "sign"),
    "test_answer[half]": ("value", "", "factor"),
    "test_answer[off]": ("value", "", "some"),
    "test_answer[long]": ("shape", "", "0"),
    "test_answer[wide]": ("axes", "2", "more"),
    "test_answer[own_name]": ("raised", "", "own"),
    "test_answer[own_message]": ("raised", "", "ValueError"),
    "test_answer[type_error]": ("raised", "", "TypeError"),
    "test_answer[object]": ("kind", "array", "object"),
    "test_answer[unwritten]": ("not_written", "", ""),
    "test_answer[deep]": ("kind", "array", "list"),
    "test_refusal[right]": ("not_raised", "ValueError", ""),
    "test_refusal[type_error]": ("other_raised", "ValueError", "TypeError"),
    "test_refusal[unwritten]": ("not_written", "", ""),
    "test_refusal[own_name]": ("other_raised", "ValueError", "own"),
    "test_argument": ("changed", "", "1"),
    "test_message[plain]": ("said", "", ""),
    "test_message[named]": ("said", "", ""),
    "test_message[built]": ("said", "", ""),
    "test_message[failed]": ("said", "", ""),
    "test_message[passed_on]": ("wrong", "", ""),
    "test_message[bare]": ("wrong", "", ""),
    "test_second": ("blocked", "", ""),
    "test_third": ("blocked", "", ""),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The report of a submission that tries every way to tell what it has seen."""
    home = tmp_path_factory.mktemp("told") / "home"
    shutil.copytree(HOME, home)
    suite = home / "reference" / "tiny" / "suite"
    shutil.rmtree(suite)
    suite.mkdir()
    (suite / "test_own.py").write_text(SUITE)
    lab = Catalogue(home).get("tiny")
    files = [
        AcceptedFile(file.path, MATHS.encode()) if file.path.endswith("maths.py") else file
        for file in reference_submission(lab).files
    ]
    with GradingPool() as pool:
        report = pool.grade(lab, Submission("told", tuple(files)), key=b"k" * 32).report
    assert report.status is RunStatus.GRADED, report.fault
    return report


def by_name(report):
    return {test.id.partition("::")[2]: test for test in report.tests}


@pytest.mark.parametrize("name", TOLD)
def test_the_cause_of(report, name):
    told = by_name(report)[name].diagnosis
    assert (told and (told.cause, told.expected, told.got)) == TOLD[name]


def test_staff_read_the_whole_message(report):
    found = by_name(report)
    assert "E   WrongAnswer: expected dtype float64" in found["test_answer[float32]"].detail
    assert "the answer is 31415.93 everywhere" in found["test_message[built]"].detail


def test_nothing_that_the_code_has_seen_gets_out(report):
    student = for_student(report, due_passed=True, published=True)
    texts = [student.model_dump_json(), render_text(explain(student)), to_gradescope(report)]
    assert "31415" in report.model_dump_json()
    assert not [text for text in texts if re.search("31_?4", text)]


def test_only_what_stands_in_the_suite_is_shown_of_its_messages(report):
    found = {name: test.diagnosis.said for name, test in by_name(report).items() if test.diagnosis}
    assert {name: said for name, said in found.items() if said} == {
        "test_message[plain]": "the answer is 0 everywhere",
        "test_message[named]": "it never stops",
        "test_message[built]": "the answer is … everywhere",
        "test_message[failed]": "… changes nothing",
    }


def test_a_hint_of_a_case_goes_before_that_of_its_test(report):
    hints = {name: test.hint for name, test in by_name(report).items()}
    assert hints["test_answer[off]"] == "The mistake of this case."
    assert hints["test_answer[half]"] == "The usual mistake."


def test_what_did_not_run_names_what_to_mend_and_has_no_hint(report):
    student = for_student(report, due_passed=False, published=False)
    for title in ("The second step.", "The third step."):
        (shown,) = (test for test in student.tests if test.title == title)
        assert (shown.outcome, shown.hint) == (Outcome.MISSING, "")
        assert shown.mend_first == ("The argument stays.",)


def test_messages_are_read_from_the_text_of_all_files(tmp_path):
    (tmp_path / "conftest.py").write_text('require(x, "four")\nsuite.require(x, message="five")\n')
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "test_a.py").write_text(
        'require(x, f"three {x}")\nrequire(x, four)\nrequire(x, "fi" f"{x}" "ve")\n'
        'require(x, "sixth" + x)\nsay("seven")\nrequire(x, f"eight")\nrequire(x, "")\n'
        'require(x, f"{x}: {x}")\n'
    )
    shown = [message.shown for message in read_messages(tmp_path)]
    assert shown == ["eight", "five", "four", "three …", "fi…ve"]


MESSAGES = tuple(
    Message(words)
    for words in [
        ("the loss is ", " after ", " steps"),
        ("the loss is ", ""),
        ("the loss is nothing",),
        ("", " did not move"),
    ]
)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("the loss is 3.2 after 150 steps", "the loss is … after … steps"),
        ("the loss is 3.2", "the loss is …"),
        ("the loss is nothing", "the loss is …"),  # the first that fits: words of the author's all
        ("w did not move", "… did not move"),
        ("the loss was 3.2", None),
        ("after steps", None),
        ("", None),
        ("the loss is " + 10_000 * " after ", None),
    ],
)
def test_a_message_is_shown_by_its_words_alone(said, shown):
    assert told_by(MESSAGES, said) == shown


@given(st.text(max_size=200))
def test_whatever_was_said_only_an_author_s_words_are_shown(said):
    known = {None, *(message.shown for message in MESSAGES)}
    assert told_by(MESSAGES, said) in known
    assert told_by(MESSAGES, f"the loss is {said} after {said} steps") in known - {None}


def test_words_that_overlap_do_not_fit():
    assert not Message(("aba", "aba")).fits("aba")
    assert not Message(("ab", "bc", "cd")).fits("abcd")
    assert Message(("ab", "bc", "cd")).fits("abbccd")


def test_no_lab_has_more_messages_than_are_counted():
    labs = Path(__file__).parents[4] / "reference"
    for suite in labs.glob("*/suite"):
        assert len(read_messages(suite, Path(grader.suite.__file__).parent)) < MESSAGES_COUNTED
