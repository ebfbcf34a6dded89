"""What a student may see of a report: an allow-list, filled field by field.

A field that is added to the report reaches no student until it is named here. Of a closed test
(hidden, or not open yet) the student sees its title, item, outcome, points, hint and a diagnosis,
whose words are from fixed sets; never its id, detail, output or durations, for each of them can
carry hidden inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import Field

from grader.report.causes import PASSED, Language, is_fixed, outcome_diagnosis, sentence
from grader.report.diagnosis import Cause, Diagnosis
from grader.report.report import (
    Artifact,
    Environment,
    ItemReport,
    Outcome,
    PartReport,
    Report,
    ReportModel,
    RunStatus,
    TestReport,
    Visibility,
)
from grader.text import clean, clean_line

NOT_FOR_GRADES = 4  # the sandbox tier without a sandbox

# These tests never came to what their hints are about.
_WITHOUT_HINT = frozenset(
    {
        None,
        Cause.BLOCKED,
        Cause.NOT_RUN,
        Cause.NOT_IMPORTED,
        Cause.NOT_WRITTEN,
        Cause.NOT_HANDED_IN,
        Cause.RUN_SPENT,
    }
)
_CASE = re.compile(r"(?P<title>.*) \[(?P<case>[^\[\]]+)\]")

_OUR_FAULT = (
    "A fault of ours stopped the grading. It costs you no attempt and no points; the staff see "
    "it, and it will be run again."
)


class StudentTest(ReportModel):
    """One test as its student sees it."""

    number: int = Field(description="its place in the report, from 1; what items refer to")
    id: str | None = Field(description="None for a closed test")
    item: str
    title: str
    open: bool = Field(description="whether detail and output are shown")
    visibility: Visibility
    outcome: Outcome
    score: float
    max_score: float
    cause: Cause | None = Field(description="None if it passed in full")
    reason: str = Field(description="what is told of the cause")
    reason_zh: str = Field(description="the same in Chinese")
    hint: str = Field("", description="the author's words on the usual mistake, if they may apply")
    mend_first: tuple[str, ...] = Field(
        (), description="titles of the tests that kept this one from being run"
    )
    detail: str = ""
    output: str = ""
    cpu_seconds: float | None = Field(None, description="None for a closed test")


class StudentItem(ReportModel):
    """A rubric item and what it earned."""

    id: str
    title: str
    score: float | None
    max_score: float
    manual: bool
    bonus: bool
    tests: tuple[int, ...] = Field(description="numbers of the tests that serve it")


class StudentPart(ReportModel):
    """A part and the sum of its items."""

    id: str
    title: str
    score: float
    max_score: float
    items: tuple[StudentItem, ...]


class StudentArtifact(ReportModel):
    """A picture the student may see."""

    name: str
    caption: str
    media_type: Literal["image/png"]
    sha256: str
    test: int = Field(description="number of the test that drew it")


class StudentFile(ReportModel):
    """A graded file, so that the student sees what arrived."""

    path: str
    size: int
    sha256: str


class StudentEnvironment(ReportModel):
    """What the run was made with, as far as it helps to repeat a failure."""

    python: str
    libraries: dict[str, str]
    tier: int
    for_grades: bool = Field(description="False if the code ran without a sandbox")


class StudentReport(ReportModel):
    """A whole grading run as its student sees it."""

    schema_version: Literal[1] = 1
    assignment: str
    assignment_title: str
    variant: str | None
    submission: str
    digest: str
    status: RunStatus
    messages: tuple[str, ...]
    score: float | None
    max_score: float
    manual_max_score: float
    pending_score: float
    parts: tuple[StudentPart, ...]
    tests: tuple[StudentTest, ...]
    artifacts: tuple[StudentArtifact, ...]
    files: tuple[StudentFile, ...]
    environment: StudentEnvironment | None
    started_at: datetime | None


def for_student(report: Report, *, due_passed: bool, published: bool) -> StudentReport:
    """Return what the student may see now; `due_passed` and `published` open more tests."""
    graded = report.status is RunStatus.GRADED
    numbers = {test.id: number for number, test in enumerate(report.tests, start=1)}
    tests = {test.id: test for test in report.tests}

    def opened(visibility: Visibility) -> bool:
        return is_open(visibility, due_passed=due_passed, published=published)

    return StudentReport(
        assignment=report.assignment,
        assignment_title=report.assignment_title,
        variant=report.variant,
        submission=clean_line(report.submission),
        digest=report.digest,
        status=report.status,
        messages=_messages(report),
        score=report.score if graded else None,
        max_score=report.max_score,
        manual_max_score=report.manual_max_score,
        pending_score=report.pending_score,
        parts=tuple(_part(part, numbers) for part in report.parts) if graded else (),
        tests=tuple(
            (_open_test if opened(test.visibility) else _closed_test)(
                test, numbers[test.id], _told(test, tests)
            )
            for test in report.tests
            if graded
        ),
        artifacts=tuple(
            _artifact(artifact, numbers[artifact.test])
            for artifact in report.artifacts
            if graded and artifact.test in numbers and opened(artifact.visibility)
        ),
        files=tuple(
            StudentFile(path=clean_line(file.path), size=file.size, sha256=file.sha256)
            for file in report.files
        ),
        environment=_environment(report.environment) if report.environment else None,
        started_at=report.started_at,
    )


def is_open(visibility: Visibility, *, due_passed: bool, published: bool) -> bool:
    """Tell whether a test or picture of this visibility is shown in full now."""
    match visibility:
        case Visibility.VISIBLE:
            return True
        case Visibility.AFTER_DUE_DATE:
            return due_passed
        case Visibility.AFTER_PUBLISHED:
            return published
        case Visibility.HIDDEN:
            return False


def _messages(report: Report) -> tuple[str, ...]:
    if report.status is RunStatus.GRADER_ERROR:
        return (_OUR_FAULT,)
    return tuple(clean(message, 2000) for message in report.messages)


def _closed_test(test: TestReport, number: int, told: _Told) -> StudentTest:
    return StudentTest(
        number=number,
        id=None,
        item=test.item,
        title=clean_line(test.title),
        open=False,
        visibility=test.visibility,
        outcome=test.outcome,
        score=test.score,
        max_score=test.max_score,
        cause=told.cause,
        reason=told.reason,
        reason_zh=told.reason_zh,
        hint=told.hint,
        mend_first=told.mend_first,
    )


def _open_test(test: TestReport, number: int, told: _Told) -> StudentTest:
    return _closed_test(test, number, told).model_copy(
        update={
            "id": test.id,
            "open": True,
            "detail": clean(test.detail),
            "output": clean(test.output),
            "cpu_seconds": test.cpu_seconds,
        }
    )


@dataclass(frozen=True)
class _Told:
    """What is told of a test in words."""

    cause: Cause | None
    reason: str
    reason_zh: str
    hint: str
    mend_first: tuple[str, ...]


def _told(test: TestReport, tests: dict[str, TestReport]) -> _Told:
    diagnosis = _diagnosis(test)
    cause = diagnosis.cause if diagnosis else None
    in_the_way = _in_the_way(test, tests)
    return _Told(
        cause=cause,
        reason=_reason(test, diagnosis, "en"),
        reason_zh=_reason(test, diagnosis, "zh"),
        hint="" if cause in _WITHOUT_HINT or in_the_way else clean(test.hint, 2000),
        mend_first=_titles(in_the_way),
    )


def _diagnosis(test: TestReport) -> Diagnosis | None:
    """Return the run's diagnosis, or that of the outcome in a report that has none."""
    if test.outcome is Outcome.PASSED and test.credit == 1:
        return None
    return test.diagnosis or outcome_diagnosis(test.outcome)


def _reason(test: TestReport, diagnosis: Diagnosis | None, language: Language) -> str:
    """Return the sentence; one that an older run wrote is taken over if it is a fixed one."""
    if diagnosis is None:
        return PASSED[language]
    if test.diagnosis is None and language == "en" and is_fixed(test.reason):
        return test.reason
    return clean(sentence(diagnosis, language), 2000)


def _in_the_way(test: TestReport, tests: dict[str, TestReport]) -> tuple[TestReport, ...]:
    """Return the tests to mend before one that did not run: the first of each chain of needs."""
    if test.outcome not in (Outcome.MISSING, Outcome.UNJUDGED):
        return ()
    found: dict[str, TestReport] = {}
    for name in test.needs:
        needed = tests.get(name)
        if needed is not None and needed.outcome is not Outcome.PASSED:
            found |= {one.id: one for one in _in_the_way(needed, tests) or (needed,)}
    return tuple(found.values())


def _titles(tests: Iterable[TestReport]) -> tuple[str, ...]:
    """Return titles, those of one test's cases as one: ``It holds [relu, tanh]``."""
    cases: dict[str, list[str]] = {}
    for title in (clean_line(test.title) for test in tests):
        found = _CASE.fullmatch(title)
        names = cases.setdefault(found["title"] if found else title, [])
        names += [found["case"]] if found else []
    return tuple(
        f"{title} [{', '.join(names)}]" if names else title for title, names in cases.items()
    )


def _part(part: PartReport, numbers: dict[str, int]) -> StudentPart:
    return StudentPart(
        id=part.id,
        title=part.title,
        score=part.score,
        max_score=part.max_score,
        items=tuple(_item(item, numbers) for item in part.items),
    )


def _item(item: ItemReport, numbers: dict[str, int]) -> StudentItem:
    return StudentItem(
        id=item.id,
        title=item.title,
        score=item.score,
        max_score=item.max_score,
        manual=item.manual,
        bonus=item.bonus,
        tests=tuple(numbers[test] for test in item.tests),
    )


def _artifact(artifact: Artifact, number: int) -> StudentArtifact:
    return StudentArtifact(
        name=artifact.name,
        caption=artifact.caption,
        media_type=artifact.media_type,
        sha256=artifact.sha256,
        test=number,
    )


def _environment(environment: Environment) -> StudentEnvironment:
    return StudentEnvironment(
        python=environment.python,
        libraries=dict(environment.libraries),
        tier=environment.tier,
        for_grades=environment.tier < NOT_FOR_GRADES,
    )
