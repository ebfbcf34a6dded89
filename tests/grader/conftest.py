"""Reports for the tests of whatever reads reports."""

from collections.abc import Callable
from typing import Any

import pytest

from grader.report import (
    Artifact,
    Environment,
    FileEntry,
    ItemReport,
    PartReport,
    Report,
    RunStatus,
    TestReport,
)


def _tests() -> tuple[TestReport, ...]:
    rows: list[dict[str, Any]] = [
        {"id": "test_a.py::test_rows", "title": "Rows sum to one", "outcome": "passed", "score": 1},
        {
            "id": "test_a.py::test_large",
            "title": "Softmax survives large logits",
            "outcome": "failed",
            "hint": "Subtract the row maximum first.",
            "detail": "AssertionError: 3 of 4 values differ",
            "output": "debug print",
            "measured": {"error": 0.25},
        },
        {
            "id": "test_b.py::test_fit",
            "item": "fit",
            "title": "The fitted curve follows the function",
            "outcome": "missing",
            "needs": ("test_a.py::test_large",),
            "max_score": 2,
        },
        {
            "id": "test_b.py::test_depth",
            "item": "fit",
            "title": "Deeper nets train",
            "outcome": "passed",
            "credit": 0.5,
            "score": 1,
            "max_score": 2,
            "visibility": "visible",
        },
    ]
    base = {"item": "softmax", "credit": 0, "score": 0, "max_score": 1, "cpu_seconds": 0.25}
    return tuple(
        TestReport.model_validate({**base, "credit": float(row["outcome"] == "passed"), **row})
        for row in rows
    )


def _parts() -> tuple[PartReport, ...]:
    softmax = ItemReport(
        id="softmax",
        title="Softmax",
        score=1,
        max_score=2,
        tests=("test_a.py::test_rows", "test_a.py::test_large"),
    )
    fit = ItemReport(
        id="fit",
        title="Fitting",
        score=1,
        max_score=4,
        tests=("test_b.py::test_fit", "test_b.py::test_depth"),
    )
    essay = ItemReport(id="essay", title="Report", score=None, max_score=3, manual=True)
    return (
        PartReport(id="mechanics", title="Mechanics", score=1, max_score=2, items=(softmax,)),
        PartReport(id="model", title="Model", score=1, max_score=4, items=(fit, essay)),
    )


@pytest.fixture
def make_report() -> Callable[..., Report]:
    """Return a factory of graded reports: 2 of 6 points, every field replaceable."""

    def build(**fields: Any) -> Report:
        graded: dict[str, Any] = {
            "assignment": "lab",
            "assignment_title": "A lab",
            "submission": "ada.zip",
            "digest": "d" * 64,
            "suite_digest": "e" * 64,
            "status": RunStatus.GRADED,
            "score": 2.0,
            "max_score": 6.0,
            "manual_max_score": 3.0,
            "parts": _parts(),
            "tests": _tests(),
            "artifacts": (
                Artifact(
                    name="curve", caption="Fit", sha256="a" * 64, test="test_b.py::test_depth"
                ),
            ),
            "files": (FileEntry(path="lab/layers.py", size=120, sha256="b" * 64),),
            "environment": Environment(
                grader="0.1.0",
                python="3.11.2",
                platform="Linux",
                libraries={"torch": "2.13.0"},
                tier=1,
                tier_name="root",
            ),
            "cpu_seconds": 1.5,
            "wall_seconds": 2.5,
        }
        return Report.model_validate({**graded, **fields})

    return build


@pytest.fixture
def rejected_report(make_report: Callable[..., Report]) -> Report:
    """Return the report of an upload that was not graded."""
    return make_report(
        submission="empty.py",
        digest="",
        status=RunStatus.REJECTED,
        messages=("lab/layers.py is missing; add it.",),
        score=None,
        parts=(),
        tests=(),
        artifacts=(),
        files=(),
    )


@pytest.fixture
def faulty_report(make_report: Callable[..., Report]) -> Report:
    """Return the report of a run that failed on our side."""
    return make_report(
        submission="bob.zip",
        status=RunStatus.GRADER_ERROR,
        fault="the sandbox did not start",
        score=None,
        parts=(),
        tests=(),
        artifacts=(),
    )
