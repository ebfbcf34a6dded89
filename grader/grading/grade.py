"""Grade one submission: start its trusted process, follow it, return its report."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from grader.catalogue import Lab
from grader.errors import GradingError
from grader.grading.events import Progress
from grader.grading.job import Job
from grader.grading.ungraded import fault_report
from grader.report import Outcome, Report
from grader.sandbox import sweep_leftovers
from grader.submission.model import Submission

_COMMAND = [sys.executable, "-I", "-B", "-m", "grader.grading.trusted"]
_WALL_PER_CPU_SECOND = 10
_WALL_GRACE_SECONDS = 600.0
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "GRADER_DATA", "XDG_CACHE_HOME")
_MAX_FAULT = 8_000


@dataclass(frozen=True)
class Graded:
    """A grading run's report and the pictures it names, by SHA-256."""

    report: Report
    artifacts: dict[str, bytes] = field(default_factory=dict)


def grade(
    lab: Lab,
    submission: Submission,
    *,
    key: bytes,
    variant: str | None = None,
    tier: int | None = None,
    minimum_tier: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Graded:
    """Grade a submission with the lab's hidden suite.

    `key` seeds the hidden inputs: the same key and submission give the same inputs. `tier` asks
    for one tier instead of the best; below `minimum_tier` nothing is graded. A fault of ours
    comes back as a report of status ``grader_error`` without a score, not as an exception.
    Everything this starts ends with it, also when this process is killed.
    """
    started_at = datetime.now(UTC)
    try:
        job = _job(lab, submission, key, variant, tier, minimum_tier)
        answer = _follow(job, lab, on_progress or (lambda progress: None))
        pictures = answer["pictures"].items()
        return Graded(
            Report.model_validate(answer["report"]),
            {name: base64.b64decode(data) for name, data in pictures},
        )
    except GradingError as error:
        report = fault_report(lab.assignment, submission, str(error), started_at=started_at)
        return Graded(report)


def probe(
    lab: Lab, submission: Submission, only: tuple[str, ...], *, key: bytes
) -> dict[str, Outcome] | str:
    """Run only some tests (and those they need) and return their outcomes.

    Part of a suite has no score, so there is no report; a fault of ours comes back as its text.
    """
    try:
        job = _job(lab, submission, key, None, None, None, only)
        answer = _follow(job, lab, lambda progress: None)
    except GradingError as error:
        return str(error)
    if "fault" in answer:
        return str(answer["fault"])
    return {name: Outcome(value) for name, value in answer["outcomes"].items()}


def _job(
    lab: Lab,
    submission: Submission,
    key: bytes,
    variant: str | None,
    tier: int | None,
    minimum_tier: int | None,
    only: tuple[str, ...] = (),
) -> Job:
    if lab.reference is None:
        raise GradingError(f"{lab.assignment.slug}: no reference and no hidden suite here")
    return Job.describe(
        submission,
        parent=os.getpid(),
        public=lab.public,
        reference=lab.reference,
        key=key,
        variant=variant,
        tier=tier,
        minimum_tier=minimum_tier,
        only=only,
    )


def _follow(job: Job, lab: Lab, on_progress: Callable[[Progress], None]) -> dict[str, Any]:
    sweep_leftovers()
    limit = lab.assignment.limits.cpu_seconds * _WALL_PER_CPU_SECOND + _WALL_GRACE_SECONDS
    with tempfile.TemporaryFile() as log, _start(log) as process:
        watchdog = threading.Timer(limit, process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            return _converse(process, job, log, on_progress)
        finally:
            watchdog.cancel()
            _end(process)


def _start(log: IO[bytes]) -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment |= {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": str(cache / "proctor" / "matplotlib"),
    }
    return subprocess.Popen(  # noqa: S603 - our own module
        _COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=environment,
        start_new_session=True,
    )


def _converse(
    process: subprocess.Popen[bytes],
    job: Job,
    log: IO[bytes],
    on_progress: Callable[[Progress], None],
) -> dict[str, Any]:
    """Send the job, pass progress on, return the message the process ends with."""
    if process.stdin is None or process.stdout is None:
        raise GradingError("the trusted process has no pipes")
    with suppress(BrokenPipeError):
        process.stdin.write(job.model_dump_json().encode())
        process.stdin.close()
    for line in process.stdout:
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            return message
        on_progress(Progress(**message["progress"]))
    process.wait()
    log.seek(0)
    said = log.read().decode("utf-8", "replace")[-_MAX_FAULT:]
    raise GradingError(f"the trusted process ended with {process.returncode}:\n{said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Let a process that has answered finish; kill one that has not, and tidy up after it."""
    if process.stdout is not None:
        process.stdout.close()
    with suppress(subprocess.TimeoutExpired):
        if process.wait(timeout=10) == 0:
            return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    sweep_leftovers()
