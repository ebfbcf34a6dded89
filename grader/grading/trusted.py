"""The trusted process: one per grading run, holding suite, reference, labels and the verdict.

Run as ``python -I -m grader.grading.trusted`` with a job on standard input. It answers with JSON
lines: ``{"progress": ...}`` as tests end, then ``{"report": ..., "pictures": {digest: base64}}``.
It never imports, unpickles, renders or puts on a path anything of the student's.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import pytest

from grader.assignment import load_assignment
from grader.catalogue import Lab
from grader.errors import GradingError, ProctorError
from grader.grading.digest import suite_digest
from grader.grading.events import Progress
from grader.grading.job import Job
from grader.grading.reference import load_reference
from grader.grading.reports import graded_report
from grader.grading.ungraded import fault_report
from grader.report import Report
from grader.sandbox import Tier, confinement
from grader.suite import fixtures, plugin
from grader.suite.run import SuiteRun

_PR_SET_PDEATHSIG = 1
_INI = Path(plugin.__file__).with_name("pytest.ini")


def main() -> None:
    """Grade the job on standard input and write what came of it."""
    answers = _claim_stdout()
    if not __debug__:
        sys.exit("python must not run with -O here: it strips the suite's assertions")
    job = Job.model_validate_json(sys.stdin.buffer.read())
    _die_with(job.parent)
    if job.only:
        _say(answers, **_probe(job))
        return
    report, pictures = _grade(job, lambda progress: _say(answers, progress=progress.as_dict()))
    encoded = {name: base64.b64encode(data).decode() for name, data in pictures.items()}
    _say(answers, report=report.model_dump(mode="json"), pictures=encoded)


def _claim_stdout() -> TextIO:
    """Keep standard output for answers; whatever else prints goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the process that asked for this run is gone")


def _say(answers: TextIO, **message: Any) -> None:
    answers.write(json.dumps(message) + "\n")
    answers.flush()


def _grade(job: Job, on_progress: Callable[[Progress], None]) -> tuple[Report, dict[str, bytes]]:
    started_at = datetime.now(UTC)
    lab = _lab(job)
    submission = job.submission()
    try:
        run = _run(lab, job, on_progress)
        if run.faults:
            raise GradingError("\n\n".join(run.faults))
        report = graded_report(
            run, variant=job.variant, suite_digest=suite_digest(lab), started_at=started_at
        )
    except ProctorError as error:
        return fault_report(lab.assignment, submission, str(error), started_at=started_at), {}
    except Exception:
        fault = traceback.format_exc()
        return fault_report(lab.assignment, submission, fault, started_at=started_at), {}
    wall = (datetime.now(UTC) - started_at).total_seconds()
    return report.model_copy(update={"wall_seconds": round(wall, 3)}), run.pictures


def _probe(job: Job) -> dict[str, Any]:
    """Run some tests for their outcomes alone: part of a suite has no score."""
    try:
        run = _run(_lab(job), job, lambda progress: None)
    except ProctorError as error:
        return {"fault": str(error)}
    if run.faults:
        return {"fault": "\n\n".join(run.faults)}
    return {"outcomes": {name: run.verdict(name).outcome for name in run.specs}}


def _lab(job: Job) -> Lab:
    return Lab(load_assignment(job.public), job.public, job.reference)


def _run(lab: Lab, job: Job, on_progress: Callable[[Progress], None]) -> SuiteRun:
    """Run the suite; the sandboxes warm up while the reference is imported."""
    wanted = None if job.tier is None else Tier(job.tier)
    minimum = None if job.minimum_tier is None else Tier(job.minimum_tier)
    run = SuiteRun(
        lab.assignment,
        job.submission(),
        confinement(wanted, minimum),
        key=bytes.fromhex(job.key),
        variant=lab.assignment.variant(job.variant),
        conceal=(job.reference.parent,),
        only=job.only,
    )
    try:
        if not job.only:  # a few tests start what they need themselves
            run.start_sandboxes()
        run.reference = load_reference(job.reference, lab.assignment)
        _run_pytest(run, job.reference / "suite", on_progress)
        run.settle()
    finally:
        run.close()
    return run


def _run_pytest(run: SuiteRun, suite: Path, on_progress: Callable[[Progress], None]) -> None:
    arguments = [str(suite), "-c", str(_INI), "--rootdir", str(suite), "--import-mode=importlib"]
    arguments += ["-p", "no:cacheprovider", "--strict-markers", "-q", "--tb=short"]
    observer = plugin.SuitePlugin(run, lambda *news: on_progress(Progress(*news)))
    code = pytest.main(arguments, plugins=[observer, fixtures])
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not run.faults:
        run.faults.append(f"pytest ended with {code!r}")


if __name__ == "__main__":
    main()
