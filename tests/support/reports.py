"""Reports made by hand, as grading would return them."""

from grader.report import (
    Artifact,
    ItemReport,
    Outcome,
    PartReport,
    Report,
    RunStatus,
    TestReport,
    Visibility,
)
from portal.platform.store import Store

SECRET = "HIDDEN-INPUT-CANARY"
PICTURE = b"\x89PNG\r\n\x1a\n a picture"


def bare_report(score: float | None = 3.0) -> Report:
    """Return a report of 4 points without tests; without a score it is a fault of ours."""
    return Report(
        assignment="sums",
        assignment_title="Sums",
        submission="lab.py",
        digest="0" * 64,
        status=RunStatus.GRADER_ERROR if score is None else RunStatus.GRADED,
        score=score,
        max_score=4.0,
    )


def class_report(score: float, detail: str) -> Report:
    """Return a report of 14 points: `first` always passes, `second` only with full marks."""
    outcomes = [Outcome.PASSED, Outcome.PASSED if score >= 14 else Outcome.FAILED]
    tests = tuple(
        TestReport(
            id=f"test_demo.py::test_{item}",
            item=item,
            title=f"The {item} claim <i>holds</i>",
            outcome=outcome,
            credit=1,
            score=0,
            max_score=7,
            hint="Look again.",
            detail="" if outcome is Outcome.PASSED else detail,
            output="<script>alert(1)</script>",
        )
        for item, outcome in zip(("first", "second"), outcomes, strict=True)
    )
    items = tuple(
        ItemReport(id=test.item, title=test.item, score=0, max_score=7, tests=(test.id,))
        for test in tests
    )
    part = PartReport(id="p", title="Mechanics", score=score, max_score=14, items=items)
    return _demo_report(score, 14, part, tests)


def pictured_report(store: Store) -> Report:
    """Return a run of three tests: one passed, one closed failed, one open failed, with pictures.

    The closed one's details and output hold `SECRET`; the pictures are in the store.
    """
    tests = (
        _test(1, Outcome.PASSED, Visibility.HIDDEN, 5),
        _test(2, Outcome.FAILED, Visibility.HIDDEN, 0),
        _test(3, Outcome.TIMEOUT, Visibility.VISIBLE, 0),
    )
    names = tuple(test.id for test in tests)
    item = ItemReport(id="first", title="The first thing", score=5, max_score=15, tests=names)
    part = PartReport(id="mechanics", title="Mechanics", score=5, max_score=15, items=(item,))
    pictures = tuple(
        Artifact(
            name=name,
            caption=f"The {name} curve",
            sha256=store.put(PICTURE + name.encode()),
            test=test.id,
            visibility=test.visibility,
        )
        for name, test in (("open", tests[2]), ("closed", tests[1]))
    )
    return _demo_report(5, 15, part, tests, pictures)


def _test(number: int, outcome: Outcome, visibility: Visibility, score: float) -> TestReport:
    return TestReport(
        id=f"test_demo.py::test_{number}",
        item="first",
        title=f"Claim number {number} <b>holds</b>",
        visibility=visibility,
        outcome=outcome,
        credit=score / 5,
        score=score,
        max_score=5,
        hint=f"Hint number {number}.",
        detail=SECRET if visibility is Visibility.HIDDEN else "expected 42, got 41",
        output=SECRET if visibility is Visibility.HIDDEN else "printed by the student",
    )


def _demo_report(
    score: float,
    max_score: float,
    part: PartReport,
    tests: tuple[TestReport, ...],
    artifacts: tuple[Artifact, ...] = (),
) -> Report:
    return Report(
        assignment="demo",
        assignment_title="A demo lab",
        submission="answer.py",
        digest="0" * 64,
        status=RunStatus.GRADED,
        score=score,
        max_score=max_score,
        parts=(part,),
        tests=tests,
        artifacts=artifacts,
    )
