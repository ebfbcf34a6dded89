"""Explain a grade: from the rules to each test, item, part and the total, as plain lines.

The lines are structured, so that the command line prints them and the portal marks them up.
A student's explanation is made from the student's report, so it can tell no more than that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from grader.report.causes import Language
from grader.report.redaction import StudentItem, StudentReport, StudentTest, for_student
from grader.report.report import FromScratchFinding, Outcome, Report, RunStatus, TestReport
from grader.report.scoring import CREDIT_STEPS
from grader.text import clean

SMILEYS = {Outcome.PASSED: ":)", Outcome.MISSING: ":|", Outcome.UNJUDGED: ":|"}
SAD = ":("
HINT = "The author's hint, on the usual mistake:"

RULES = (
    "The points of a rubric item are shared among its tests; a test that weighs more has more.",
    "Only a test that passed earns points: all of its own, or the part it says. A part counts in "
    f"{CREDIT_STEPS} equal steps, rounded up; the last step is for the full bar.",
    "An item's points are the sum of its tests', a part's of its items', the score of the parts'.",
)


class LineKind(StrEnum):
    """What a line of an explanation is about."""

    HEADING = "heading"  # which submission of which assignment
    TOTAL = "total"  # the score and how it adds up
    MESSAGE = "message"  # a sentence of the run
    RULE = "rule"  # how points come about
    PART = "part"
    ITEM = "item"
    TEST = "test"
    NOTE = "note"  # why the line above has its points
    FINDING = "finding"  # staff only: a use of what a file was to do without


@dataclass(frozen=True)
class Line:
    """One line; score and max_score are None where the line has no points."""

    kind: LineKind
    text: str
    depth: int = 0
    outcome: Outcome | None = None
    score: float | None = None
    max_score: float | None = None
    test: int | None = None  # number of the test in the report, from 1


@dataclass(frozen=True)
class Explanation:
    """How a score came about, from the whole to its tests."""

    lines: tuple[Line, ...]

    def of(self, kind: LineKind) -> tuple[Line, ...]:
        """Return the lines of one kind."""
        return tuple(line for line in self.lines if line.kind is kind)


def explain(
    report: Report | StudentReport, *, test: str | None = None, language: Language = "en"
) -> Explanation:
    """Explain a whole report, or only the tests whose id or title holds `test`.

    A staff report is explained with ids and details, a student's with what the student may see.
    The causes of lost tests are told in `language`, everything else in English.
    """
    if isinstance(report, Report):
        shown = for_student(report, due_passed=True, published=True)
        staff = {number: found for number, found in enumerate(report.tests, start=1)}
    else:
        shown, staff = report, {}
    lines = [*_head(shown, report.fault if isinstance(report, Report) else "")]
    if shown.status is RunStatus.GRADED:
        lines += [Line(LineKind.RULE, rule) for rule in RULES] if test is None else []
        lines += _body(shown, staff, test, language)
    if isinstance(report, Report) and test is None:
        lines += _finding_lines(report)
    return Explanation(tuple(lines))


def points(value: float) -> str:
    """Write points with at most four decimals and no trailing zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def smiley(outcome: Outcome) -> str:
    """Return the mark that makes an outcome readable without colour."""
    return SMILEYS.get(outcome, SAD)


def render_text(explanation: Explanation) -> str:
    """Write an explanation as indented plain text."""
    return "\n".join(_render(line) for line in explanation.lines) + "\n"


def _render(line: Line) -> str:
    mark = f"{smiley(line.outcome)} " if line.outcome else ""
    earned = ""
    if line.max_score is not None:
        have = "-" if line.score is None else points(line.score)
        earned = f"{have}/{points(line.max_score)}  "
    indent = "  " * line.depth
    return "\n".join(indent + row for row in f"{mark}{earned}{line.text}".split("\n"))


def _head(report: StudentReport, fault: str) -> Iterator[Line]:
    yield Line(LineKind.HEADING, f"{report.assignment_title}: {report.submission}")
    if report.score is None:
        yield Line(LineKind.TOTAL, f"No score: the run is {report.status.value!r}.")
    else:
        yield Line(
            LineKind.TOTAL, _sum_of_parts(report), score=report.score, max_score=report.max_score
        )
    if report.manual_max_score and report.status is RunStatus.GRADED:
        more = points(report.manual_max_score)
        yield Line(LineKind.NOTE, f"Beside this, marked by a person: up to {more}.")
    if report.pending_score:
        more = points(report.pending_score)
        yield Line(LineKind.NOTE, f"Open: up to {more} for tests that could not be judged.")
    if report.environment and not report.environment.for_grades:
        yield Line(LineKind.NOTE, "This run had no sandbox: its score is not for grades.")
    yield from (Line(LineKind.MESSAGE, message) for message in report.messages)
    if fault:
        yield Line(LineKind.NOTE, f"For staff: {fault}")


def _sum_of_parts(report: StudentReport) -> str:
    terms = " + ".join(f"{points(part.score)} ({part.title})" for part in report.parts)
    return f"= {terms}" if terms else ""


def _body(
    report: StudentReport, staff: dict[int, TestReport], wanted: str | None, language: Language
) -> Iterator[Line]:
    tests = {test.number: test for test in report.tests if _matches(test, staff, wanted)}
    for part in report.parts:
        items = [
            item
            for item in part.items
            if wanted is None or any(number in tests for number in item.tests)
        ]
        if items:
            yield Line(LineKind.PART, part.title, score=part.score, max_score=part.max_score)
        for item in items:
            yield _item_line(item)
            for number in item.tests:
                if number in tests:
                    yield from _test_lines(tests[number], staff.get(number), language)


def findings_to_look_at(report: Report) -> str:
    """Return ``2 findings to look at``, empty if there is none."""
    count = len(report.findings)
    return f"{count} finding{'' if count == 1 else 's'} to look at" if count else ""


def where(finding: FromScratchFinding) -> str:
    """Return a finding's place as ``layers.py:12``."""
    return f"{finding.path}:{finding.line}" if finding.line else finding.path


def _finding_lines(report: Report) -> Iterator[Line]:
    if not report.findings:
        return
    yield Line(
        LineKind.NOTE,
        f"For staff: {findings_to_look_at(report)}. They change no score: a mention need not do "
        "the work, and what a run claims comes from the student's own process.",
    )
    for found in report.findings:
        source = f"in {found.test}" if found.how == "run" else found.sure
        text = f"{where(found)}  {found.name}  ({found.how}, {source})"
        yield Line(LineKind.FINDING, clean(f"{text}\n  {found.source}".rstrip()), depth=1)


def _matches(test: StudentTest, staff: dict[int, TestReport], wanted: str | None) -> bool:
    if wanted is None:
        return True
    ids = [test.id or "", staff[test.number].id if test.number in staff else ""]
    return any(wanted.casefold() in text.casefold() for text in (test.title, *ids))


def _item_line(item: StudentItem) -> Line:
    about = ""
    if item.manual:
        about = " (marked by a person)" if item.score is not None else " (a person marks it)"
    if item.bonus:
        about += " (bonus: adds to the score, not to the maximum)"
    return Line(
        LineKind.ITEM, item.title + about, depth=1, score=item.score, max_score=item.max_score
    )


def _test_lines(test: StudentTest, staff: TestReport | None, language: Language) -> Iterator[Line]:
    name = f"{test.title}  [{staff.id}]" if staff else test.title
    yield Line(
        LineKind.TEST,
        f"{name} - {test.outcome.value}",
        depth=2,
        outcome=test.outcome,
        score=test.score,
        max_score=test.max_score,
        test=test.number,
    )
    for note in _notes(test, staff, language):
        yield Line(LineKind.NOTE, note, depth=3, test=test.number)
    if staff and staff.measured:
        figures = ", ".join(f"{name} {value:.4g}" for name, value in staff.measured.items())
        yield Line(LineKind.NOTE, f"For staff: measured {figures}", depth=3, test=test.number)


def _notes(test: StudentTest, staff: TestReport | None, language: Language) -> Iterator[str]:
    in_full = test.outcome is Outcome.PASSED and test.score == test.max_score
    if in_full:
        return
    if test.outcome is Outcome.PASSED and test.score == 0:
        yield "Passed, but its item gives points only when all of its tests pass in full."
    else:
        yield test.reason_zh if language == "zh" else test.reason
    if test.mend_first:
        yield "First mend: " + "; ".join(test.mend_first)
    if test.hint:
        yield f"{HINT} {test.hint}"
    detail = clean(staff.detail) if staff else test.detail
    if detail:
        yield detail
