"""What checks share: the lab, the pool that grades for it, and the reference's own runs."""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from functools import cached_property

from grader.authoring.solutions import reference_submission
from grader.errors import GradingError
from grader.grading import GradedSubmission, GradingPool, PartialRun
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.report.report import Outcome, Report, RunStatus


def seed_key(number: int) -> bytes:
    """Return the key of the n-th seed."""
    return hashlib.sha256(f"validate {number}".encode()).digest()


class Bench:
    """A lab and the pool that grades for it."""

    def __init__(self, lab: Lab, pool: GradingPool) -> None:
        self.lab = lab
        self.pool = pool
        self._guards: defaultdict[tuple[int, str | None], threading.Lock] = defaultdict(
            threading.Lock
        )
        self._references: dict[tuple[int, str | None], Report] = {}
        self._charging = threading.Lock()
        self.cpu_seconds = 0.0  # of the submissions' own code, in all runs so far

    @cached_property
    def reference(self) -> Submission:
        """The model solution as a student would hand it in."""
        return reference_submission(self.lab)

    def grade(
        self, submission: Submission, seed: int = 0, variant: str | None = None
    ) -> GradedSubmission:
        """Grade under the key of a seed, as the default variant if none is named."""
        graded = self.pool.grade(self.lab, submission, key=seed_key(seed), variant=variant)
        self._charge(graded.report.cpu_seconds)
        return graded

    def outcomes(self, submission: Submission, only: tuple[str, ...]) -> dict[str, Outcome] | str:
        """Run only some tests and those they need; a fault comes back as its text."""
        try:
            return self._run_tests(submission, only).outcomes
        except GradingError as error:
            return str(error)

    def first_loss(self, submission: Submission, order: tuple[str, ...]) -> PartialRun | str:
        """Run tests in an order until one loses points; a fault comes back as its text."""
        try:
            return self._run_tests(submission, order, stop_at_first_loss=True)
        except GradingError as error:
            return str(error)

    def _run_tests(
        self, submission: Submission, tests: tuple[str, ...], *, stop_at_first_loss: bool = False
    ) -> PartialRun:
        run = self.pool.run_tests(
            self.lab,
            submission,
            tests,
            key=seed_key(0),
            stop_at_first_loss=stop_at_first_loss,
        )
        self._charge(run.cpu_seconds)
        return run

    def _charge(self, cpu_seconds: float) -> None:
        with self._charging:
            self.cpu_seconds += cpu_seconds

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
