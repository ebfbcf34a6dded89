"""Nothing of a closed test reaches its student but what the allow-list names."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from grader.report import Outcome, Report, RunStatus, Visibility
from grader.report.causes import sentence
from grader.report.diagnosis import Cause, Diagnosis
from grader.report.redaction import StudentReport, for_student, is_open

KEPT = {  # leaves that are closed sets or references, or that a marker would make invalid
    "schema_version",
    "status",
    "outcome",
    "visibility",
    "media_type",
    "started_at",
}

REPORT_ALLOWED = {
    "assignment",
    "assignment_title",
    "submission",
    "digest",
    "messages",
    "score",
    "max_score",
    "manual_max_score",
    "pending_score",
    "parts.id",
    "parts.title",
    "parts.score",
    "parts.max_score",
    "parts.items.id",
    "parts.items.title",
    "parts.items.score",
    "parts.items.max_score",
    "files.path",
    "files.size",
    "files.sha256",
    "environment.python",
    "environment.libraries.torch",
}
CLOSED = {"tests.item", "tests.title", "tests.score", "tests.max_score", "tests.hint"}
OPEN = CLOSED | {"tests.id", "tests.detail", "tests.output", "tests.cpu_seconds"}
PICTURE = {"artifacts.name", "artifacts.caption", "artifacts.sha256"}


def _mark(value: Any, path: str, numbers: Iterator[int], marks: dict[str, str]) -> Any:
    """Replace every leaf by a marker that can be found again, and note where it stood."""
    if isinstance(value, dict):
        return {
            key: inner
            if key in KEPT
            else _mark(inner, f"{path}.{key}" if path else key, numbers, marks)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_mark(inner, path, numbers, marks) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    number = next(numbers)
    if isinstance(value, str):
        marks[f"MARK{number}X"] = path
        return f"MARK{number}X"
    if path in {"tests.credit", "environment.tier"}:
        return value
    marks[str(number)] = path
    return number


def marked(report: Report, visibility: Visibility) -> tuple[Report, dict[str, str]]:
    """Return the report with one failed test and marks in every field it has."""
    data = report.model_dump(mode="json")
    data["tests"] = [
        {
            **data["tests"][1],
            "visibility": visibility,
            "reason": "text",
            "needs": ("text",),
            "wall_seconds": 1.0,
        }
    ]
    data["artifacts"][0]["visibility"] = visibility
    data["parts"] = [{**data["parts"][0], "items": [{**data["parts"][0]["items"][0], "tests": []}]}]
    data["messages"] = ["text"]
    marks: dict[str, str] = {}
    full = _mark(data, "", itertools.count(7_100_000), marks)
    full["artifacts"][0]["test"] = full["tests"][0]["id"]
    full["tests"][0]["needs"] = (full["tests"][0]["id"],)
    return Report.model_validate(full), marks


def leaked(student: StudentReport, marks: dict[str, str]) -> set[str]:
    text = student.model_dump_json()
    return {path for mark, path in marks.items() if mark in text}


@pytest.mark.parametrize(
    "visibility", [Visibility.HIDDEN, Visibility.AFTER_DUE_DATE, Visibility.AFTER_PUBLISHED]
)
def test_a_closed_test_shows_exactly_what_the_allow_list_names(
    make_report: Callable[..., Report], visibility: Visibility
):
    report, marks = marked(make_report(), visibility)
    student = for_student(report, due_passed=False, published=False)
    assert leaked(student, marks) == REPORT_ALLOWED | CLOSED
    assert student.tests[0].id is None
    assert student.tests[0].cpu_seconds is None
    assert student.artifacts == ()


def test_an_open_test_shows_everything_but_wall_time(make_report: Callable[..., Report]):
    report, marks = marked(make_report(), Visibility.VISIBLE)
    student = for_student(report, due_passed=False, published=False)
    assert leaked(student, marks) == REPORT_ALLOWED | OPEN | PICTURE


@pytest.mark.parametrize("status", [RunStatus.GRADER_ERROR, RunStatus.REJECTED])
def test_a_run_without_a_score_shows_no_test(make_report: Callable[..., Report], status: RunStatus):
    report, marks = marked(make_report(), Visibility.VISIBLE)
    report = report.model_copy(update={"status": status})
    student = for_student(report, due_passed=True, published=True)
    shown = leaked(student, marks)
    assert not any(path.startswith(("tests", "parts", "artifacts", "fault")) for path in shown)
    assert student.score is None


def test_a_fault_of_ours_is_told_without_its_cause(faulty_report: Report):
    student = for_student(faulty_report, due_passed=False, published=False)
    assert "fault of ours" in student.messages[0]
    assert "no attempt" in student.messages[0]
    assert "sandbox did not start" not in student.model_dump_json()


def test_a_rejected_upload_says_what_to_do(rejected_report: Report):
    student = for_student(rejected_report, due_passed=False, published=False)
    assert student.messages == ("lab/layers.py is missing; add it.",)


@pytest.mark.parametrize(
    ("visibility", "due_passed", "published", "shown"),
    [
        ("visible", False, False, True),
        ("after_due_date", False, True, False),
        ("after_due_date", True, False, True),
        ("after_published", True, False, False),
        ("after_published", False, True, True),
        ("hidden", True, True, False),
    ],
)
def test_a_test_opens_when_its_visibility_says(visibility, due_passed, published, shown):
    assert is_open(Visibility(visibility), due_passed=due_passed, published=published) is shown


def test_a_hint_is_kept_for_those_who_need_it(make_report: Callable[..., Report]):
    report = make_report()
    hinted = tuple(test.model_copy(update={"hint": "a hint"}) for test in report.tests)
    student = for_student(
        report.model_copy(update={"tests": hinted}), due_passed=False, published=False
    )
    assert [bool(test.hint) for test in student.tests] == [False, True, False, True]


def test_a_test_that_did_not_run_names_the_one_to_mend_first(make_report: Callable[..., Report]):
    student = for_student(make_report(), due_passed=False, published=False)
    assert student.tests[2].mend_first == ("Softmax survives large logits",)
    assert "did not run" in student.tests[2].reason
    assert not student.tests[1].mend_first


def chained(report: Report, first: Outcome) -> Report:
    """Return the report with three tests, each of which needs the one before it."""
    one = report.tests[1].model_copy(update={"outcome": first, "hint": "a hint"})
    tests = [one.model_copy(update={"id": "a", "title": "A", "needs": ()})]
    for name, need in (("b", "a"), ("c", "b")):
        changes = {"id": name, "title": name.upper(), "needs": (need,)}
        tests.append(one.model_copy(update={**changes, "outcome": Outcome.MISSING}))
    return report.model_copy(update={"tests": tuple(tests), "parts": ()})


def test_of_a_chain_the_first_is_to_be_mended(make_report: Callable[..., Report]):
    student = for_student(chained(make_report(), Outcome.ERROR), due_passed=False, published=False)
    assert [test.mend_first for test in student.tests] == [(), ("A",), ("A",)]
    assert [bool(test.hint) for test in student.tests] == [True, False, False]


def test_cases_to_be_mended_are_named_together(make_report: Callable[..., Report]):
    report = chained(make_report(), Outcome.FAILED)
    first = report.tests[0]
    cases = [
        first.model_copy(update={"id": f"a[{case}]", "title": f"It holds [{case}]"})
        for case in ("relu", "tanh")
    ]
    last = report.tests[1].model_copy(update={"needs": ("a[relu]", "a", "a[tanh]")})
    student = for_student(
        report.model_copy(update={"tests": (*cases, first, last)}),
        due_passed=False,
        published=False,
    )
    assert student.tests[3].mend_first == ("It holds [relu, tanh]", "A")


@pytest.mark.parametrize(
    ("told", "hinted"),
    [
        (Diagnosis(cause=Cause.DTYPE, expected="float64", got="float32"), True),
        (Diagnosis(cause=Cause.RAISED, got="TypeError"), True),
        (Diagnosis(cause=Cause.NOT_IMPORTED), False),
        (Diagnosis(cause=Cause.NOT_WRITTEN), False),
        (Diagnosis(cause=Cause.RUN_SPENT), False),
    ],
)
def test_the_cause_is_told_and_a_hint_only_if_it_may_apply(
    make_report: Callable[..., Report], told: Diagnosis, hinted: bool
):
    report = make_report()
    test = report.tests[1].model_copy(update={"diagnosis": told, "hint": "a hint"})
    student = for_student(
        report.model_copy(update={"tests": (test,), "parts": ()}), due_passed=False, published=False
    )
    shown = student.tests[0]
    assert (shown.cause, bool(shown.hint)) == (told.cause, hinted)
    assert (shown.reason, shown.reason_zh) == (sentence(told), sentence(told, "zh"))


def test_only_a_fixed_sentence_is_taken_over(make_report: Callable[..., Report]):
    report = make_report()
    told = report.tests[1].model_copy(update={"reason": "raised Label_is_7"})
    student = for_student(
        report.model_copy(update={"tests": (told,), "parts": ()}),
        due_passed=False,
        published=False,
    )
    assert "Label_is_7" not in student.model_dump_json()
    assert student.tests[0].reason.startswith("Your code ran, but")


def test_items_refer_to_tests_by_number(make_report: Callable[..., Report]):
    student = for_student(make_report(), due_passed=False, published=False)
    assert student.parts[1].items[0].tests == (3, 4)
    assert [test.number for test in student.tests] == [1, 2, 3, 4]


def test_what_student_code_printed_is_cleaned(make_report: Callable[..., Report]):
    report = make_report()
    noisy = report.tests[3].model_copy(
        update={"detail": "\x1b]0;x\x07\u202eab", "output": "\x1b[2Jcd"}
    )
    student = for_student(
        report.model_copy(update={"tests": (noisy,), "parts": ()}),
        due_passed=False,
        published=False,
    )
    assert (student.tests[0].detail, student.tests[0].output) == ("ab", "cd")


@pytest.mark.parametrize(("tier", "counts"), [(1, True), (2, True), (3, True), (4, False)])
def test_a_run_without_a_sandbox_is_marked_as_not_for_grades(
    make_report: Callable[..., Report], tier: int, counts: bool
):
    report = make_report()
    assert report.environment is not None
    environment = report.environment.model_copy(update={"tier": tier})
    student = for_student(
        report.model_copy(update={"environment": environment}), due_passed=False, published=False
    )
    assert student.environment is not None
    assert student.environment.for_grades is counts
