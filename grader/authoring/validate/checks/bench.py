"""What checks share: the lab, the pool that grades for it, and the reference's own runs."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from functools import cached_property

from grader.authoring.solutions import reference_submission
from grader.authoring.validate.automatic import Coverage, ProbeReading, coverage
from grader.authoring.validate.kept import KeptRuns, RunSettings, TestResult
from grader.grading import GradedSubmission, GradingPool, ResultCache
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.report.report import Outcome, Report, RunStatus


def seed_key(number: int) -> bytes:
    """Return the key of the n-th seed."""
    return hashlib.sha256(f"validate {number}".encode()).digest()


class ValidationBench:
    """A lab, the pool that grades for it, and the cache of what tests came to."""

    def __init__(self, lab: Lab, pool: GradingPool, cache: ResultCache) -> None:
        self.lab = lab
        self.pool = pool
        self._runs = KeptRuns(lab, pool, cache)
        self._guards: defaultdict[tuple[int, str | None], threading.Lock] = defaultdict(
            threading.Lock
        )
        self._references: dict[tuple[int, str | None], Report] = {}
        self._charging = threading.Lock()
        self._graded_cpu_seconds = 0.0

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the submissions' own code, in all runs made so far."""
        return self._graded_cpu_seconds + self._runs.cpu_seconds

    @cached_property
    def reference(self) -> Submission:
        """The model solution as a student would hand it in."""
        return reference_submission(self.lab)

    def grade(
        self, submission: Submission, seed: int = 0, variant: str | None = None
    ) -> GradedSubmission:
        """Grade under the key of a seed, as the default variant if none is named."""
        graded = self.pool.grade(self.lab, submission, key=seed_key(seed), variant=variant)
        with self._charging:
            self._graded_cpu_seconds += graded.report.cpu_seconds
        return graded

    def results(self, submission: Submission, tests: tuple[str, ...]) -> dict[str, TestResult]:
        """Return what tests and those they need came to; GradingError after a fault of ours."""
        return self._runs.results(submission, tests, RunSettings(seed_key(0)))

    def repeat(self, number: int) -> dict[str, TestResult]:
        """Return what the tests came to when the reference ran for the n-th time under one key.

        Raises GradingError after a fault of ours.
        """
        suite, _ = self._runs.suite(self.reference)
        how = RunSettings(seed_key(0), number=number)
        return self._runs.results(self.reference, tuple(suite.by_id), how)

    def first_loss(
        self, submission: Submission, order: tuple[str, ...]
    ) -> tuple[str, TestResult] | None:
        """Run tests on the reference's hidden inputs until one loses points, and return that.

        Raises GradingError after a fault of ours.
        """
        how = RunSettings(seed_key(0), inputs_of=self.reference.digest)
        return self._runs.first_loss(submission, order, how)

    def coverage(self) -> Coverage:
        """Return which statements of the reference each test executes; GradingError."""
        suite, joint_files = self._runs.suite(self.reference)
        how = RunSettings(seed_key(0), inputs_of=self.reference.digest, probe=coverage.ATTRIBUTE)
        instrumented = coverage.instrumented(self.reference)
        found = self._runs.results(instrumented, tuple(suite.by_id), how)
        readings = {
            test: ProbeReading(not result.lost, result.readings) for test, result in found.items()
        }
        return Coverage(self.lab, self.reference, suite, joint_files, readings)

    def reference_report(self, seed: int = 0, variant: str | None = None) -> Report:
        """Return the report of a variant's reference under a seed, graded once."""
        which = seed, variant
        with self._guards[which]:
            if which not in self._references:
                reference = reference_submission(self.lab, variant)
                self._references[which] = self.grade(reference, seed, variant).report
            return self._references[which]


def fault_of(report: Report) -> str:
    """Return why a run has no score, or no whole one; empty if every test was judged."""
    if report.status is RunStatus.GRADED:
        unjudged = (test for test in report.tests if test.outcome is Outcome.UNJUDGED)
        return "\n".join(f"{test.id} could not judge:\n{test.detail}" for test in unjudged)
    return f"{report.status}: {report.fault.strip()[-2000:]}"
