"""Gradescope's results.json for one submission.

Gradescope shows a hidden test to staff only. Even so its output here holds no more than the
student's own report would: a visibility can be changed there with one click.
"""

from __future__ import annotations

import json
from typing import Any

from grader.report.explain import HINT
from grader.report.redaction import StudentReport, StudentTest, for_student
from grader.report.report import Outcome, Report, RunStatus


def to_gradescope(report: Report) -> str:
    """Write one report as results.json.

    A run without a score has no ``score`` and no tests, so Gradescope shows a failed run and
    not a zero.
    """
    # Later visibilities are Gradescope's to keep, so their details are written as if open.
    student = for_student(report, due_passed=True, published=True)
    results: dict[str, Any] = {
        "output": "\n".join(student.messages),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
    }
    if student.status is RunStatus.GRADED:
        results |= {
            "score": student.score,
            "tests": [_test(test) for test in student.tests],
            "extra_data": _extra(report, student),
        }
    return json.dumps(results, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _test(test: StudentTest) -> dict[str, Any]:
    first = f"First mend: {'; '.join(test.mend_first)}" if test.mend_first else ""
    hint = f"{HINT} {test.hint}" if test.hint else ""
    lines = [test.reason, first, hint, test.detail, test.output]
    return {
        "name": test.title,
        "name_format": "text",
        "number": str(test.number),
        "score": test.score,
        "max_score": test.max_score,
        "status": "passed" if test.outcome is Outcome.PASSED else "failed",
        "output": "\n".join(line for line in lines if line),
        "output_format": "text",
        "tags": [test.item],
        "visibility": test.visibility.value,
        "extra_data": {"outcome": test.outcome.value, "cause": test.cause},
    }


def _extra(report: Report, student: StudentReport) -> dict[str, Any]:
    return {
        "max_score": student.max_score,
        "manual_max_score": student.manual_max_score,
        "pending_score": student.pending_score,
        "digest": student.digest,
        "tier": report.environment.tier if report.environment else None,
    }
