"""What a student may see of a report: an allow-list, filled field by field.

A field that is added to the report reaches no student until it is named here. Of a closed test
(hidden, or not open yet) the student sees its title, item, outcome, points, hint and a fixed
sentence; never its id, detail, output or durations, for each of them can carry hidden inputs.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from grader.report.causes import is_fixed, reason_for
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
    reason: str
    hint: str = ""
    needs: tuple[str, ...] = Field((), description="titles of the tests that must pass first")
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
    titles = {test.id: clean_line(test.title) for test in report.tests}

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
            _open_test(test, numbers[test.id], titles)
            if opened(test.visibility)
            else _closed_test(test, numbers[test.id], titles)
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


def _closed_test(test: TestReport, number: int, titles: dict[str, str]) -> StudentTest:
    return StudentTest(
        number=number,
        id=None,
        item=test.item,
        title=titles[test.id],
        open=False,
        visibility=test.visibility,
        outcome=test.outcome,
        score=test.score,
        max_score=test.max_score,
        reason=_reason(test),
        hint=_hint(test),
        needs=_needs(test, titles),
    )


def _open_test(test: TestReport, number: int, titles: dict[str, str]) -> StudentTest:
    return StudentTest(
        number=number,
        id=test.id,
        item=test.item,
        title=titles[test.id],
        open=True,
        visibility=test.visibility,
        outcome=test.outcome,
        score=test.score,
        max_score=test.max_score,
        reason=_reason(test),
        hint=_hint(test),
        needs=_needs(test, titles),
        detail=clean(test.detail),
        output=clean(test.output),
        cpu_seconds=test.cpu_seconds,
    )


def _reason(test: TestReport) -> str:
    """Return the run's sentence if it is a fixed one, else the plain one for the outcome."""
    if is_fixed(test.reason):
        return test.reason
    return reason_for(test.outcome, credit=test.credit, blocked=bool(test.needs))


def _hint(test: TestReport) -> str:
    in_full = test.outcome is Outcome.PASSED and test.credit == 1
    return "" if in_full else clean(test.hint, 2000)


def _needs(test: TestReport, titles: dict[str, str]) -> tuple[str, ...]:
    return tuple(titles[needed] for needed in test.needs if needed in titles)


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
