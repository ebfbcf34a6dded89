"""Public tests for students: the student's files and the handout's tests in a plain pytest.

This is what a student runs on their own machine, with their own code, so there is no sandbox,
and nothing it says decides a grade.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import ProctorError
from grader.intake import Submission
from grader.lab.catalogue import Lab
from grader.lab.given import given_file
from grader.report.report import Outcome
from grader.text import clean, clean_line

RESULTS_VARIABLE = "GRADER_CHECK_RESULTS"
_PLUGIN = "grader.public_tests.plugin"
_STARTED = "The tests could be started"
_COLLECTION_FAILED = (2, 3, 4, 5)  # pytest's exit statuses apart from passed and failed


@dataclass(frozen=True)
class PublicResult:
    """How one public test ended, with everything it said."""

    title: str
    outcome: Outcome
    message: str = ""


def run_public_tests(
    lab: Lab, submission: Submission, *, wall_seconds: float | None = None
) -> list[PublicResult]:
    """Run the lab's public tests on a submission and return them in their order.

    `wall_seconds` defaults to four times the lab's CPU limit. Raises ProctorError if the lab
    has no public tests.
    """
    tests = sorted(lab.public.glob("test_*.py"))
    if not tests:
        raise ProctorError(f"{lab.assignment.slug} has no public tests; there is nothing to check.")
    with tempfile.TemporaryDirectory(prefix="grader-check-") as name:
        folder = Path(name)
        _lay_out(folder, lab, submission, tests)
        return _run(folder, wall_seconds or 4 * lab.assignment.limits.cpu_seconds)


def _lay_out(folder: Path, lab: Lab, submission: Submission, tests: list[Path]) -> None:
    submission.write_to(folder)
    given = {file.path: given_file(lab.public, file.path) for file in lab.assignment.given}
    for path, source in [*given.items(), *((test.name, test) for test in tests)]:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (folder / "pytest.ini").write_text("[pytest]\n")


def _run(folder: Path, wall_seconds: float) -> list[PublicResult]:
    results = folder / ".results.jsonl"
    command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", _PLUGIN, "--tb=short", "--color=no", "--rootdir=."]
    own = {
        "OMP_NUM_THREADS": "1",
        "OMP_THREAD_LIMIT": "1",  # one core, as where it is graded
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
        RESULTS_VARIABLE: str(results),
    }
    try:
        ended = subprocess.run(  # noqa: S603 - our interpreter, a fixed command
            command,
            cwd=folder,
            env={**os.environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=wall_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        message = f"It ran for more than {wall_seconds:g} s. Look for a loop that never ends."
        found = _read(results, Outcome.TIMEOUT, message)
        return found or [PublicResult(_STARTED, Outcome.TIMEOUT, message)]
    found = _read(results, Outcome.CRASHED, f"Python ended itself with status {ended.returncode}.")
    if not found or ended.returncode in _COLLECTION_FAILED:
        output = clean(ended.stdout.decode(errors="replace"))
        found.append(PublicResult(_STARTED, Outcome.ERROR, output))
    return found


def _read(results: Path, unfinished: Outcome, message: str) -> list[PublicResult]:
    """Return the tests in their order; one that began and has no end gets `unfinished`."""
    rows = _rows(results)
    ends = {row["id"]: row for row in rows if "outcome" in row}
    return [
        PublicResult(
            clean_line(row["title"]),
            Outcome(ends[row["id"]]["outcome"]) if row["id"] in ends else unfinished,
            clean(ends[row["id"]]["message"]) if row["id"] in ends else message,
        )
        for row in rows
        if "title" in row
    ]


def _rows(results: Path) -> list[dict[str, Any]]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text().splitlines() if line.endswith("}")]
