"""Runs of single tests for a validation; what a test came to is kept and not run again.

Results lie in the cache of gradings (`grader.grading.cache`), under the same digests: the
submission's files, the test's own text and all that it shares, reference, manifest, data, engine,
libraries, processor and key. So an interrupted validation goes on where it was, and after a change
only the tests run that it can touch. Unlike a grade, a timeout is kept: that a mutant never ends
says enough of it.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from grader.grading import GradingPool, ResultCache
from grader.grading.cache import Memory
from grader.grading.collected import CollectedSuite
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.report.report import Outcome

FORMAT = 1  # of keys and results; raise it when either changes its meaning


class TestResult(BaseModel):
    """What one test came to."""

    __test__ = False

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Outcome
    credit: float  # the share of its points that it earned
    readings: dict[str, tuple[str, ...]] = {}  # of a probe, by module

    @property
    def lost(self) -> bool:
        """Whether it earned less than it could."""
        return self.outcome is not Outcome.PASSED or self.credit < 1


@dataclass(frozen=True)
class RunSettings:
    """How a run is made, beside the submission and its tests."""

    key: bytes
    inputs_of: str | None = None  # digest of another submission whose hidden inputs are drawn
    probe: str = ""  # attribute of its modules to read after each test
    number: int = 0  # tells runs apart that are to be made though all else is the same

    def name(self, test_key: str) -> str:
        """Return the key under which the result of a test in such a run is kept."""
        parts = ["validate", FORMAT, test_key, self.inputs_of, self.probe, self.number]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


class KeptRuns:
    """Runs tests of one lab, those whose results are not known; used from any thread."""

    def __init__(self, lab: Lab, pool: GradingPool, cache: ResultCache) -> None:
        """Run by a pool, and keep results in a cache, which the pool may use for its gradings."""
        self._lab = lab
        self._pool = pool
        self._cache = cache
        self._guard = threading.Lock()
        self.cpu_seconds = 0.0  # of the submissions' own code, in the runs that were made

    def suite(self, reference: Submission) -> tuple[CollectedSuite, frozenset[str]]:
        """Return the lab's tests, and the files whose tests hang together; GradingError."""
        memory = self._memory(reference, b"")
        return self._collected(memory), memory.files.joint_files

    def results(
        self, submission: Submission, tests: tuple[str, ...], how: RunSettings
    ) -> dict[str, TestResult]:
        """Return what tests came to, by id, maybe with some of those they need.

        Raises GradingError after a fault of ours.
        """
        return self._run(submission, tests, how, stop_at_first_loss=False)

    def first_loss(
        self, submission: Submission, order: tuple[str, ...], how: RunSettings
    ) -> tuple[str, TestResult] | None:
        """Return a test that was lost, None if none of them was.

        It is one that is known to be lost, else the first one in the order. Raises GradingError.
        """
        found = self._run(submission, order, how, stop_at_first_loss=True)
        return next(((name, one) for name, one in found.items() if one.lost), None)

    def _run(
        self,
        submission: Submission,
        tests: tuple[str, ...],
        how: RunSettings,
        *,
        stop_at_first_loss: bool,
    ) -> dict[str, TestResult]:
        memory = self._memory(submission, how.key)
        names = {test: how.name(key) for test, key in memory.keys(self._collected(memory)).items()}
        known = self._known(tests, names, how)
        left = tuple(test for test in tests if test not in known)
        if not left or (stop_at_first_loss and any(result.lost for result in known.values())):
            return known
        run = self._pool.run_tests(
            self._lab,
            submission,
            left,
            key=how.key,
            inputs_of=how.inputs_of,
            probe=how.probe,
            stop_at_first_loss=stop_at_first_loss,
        )
        with self._guard:
            self.cpu_seconds += run.cpu_seconds
        made = {
            test: TestResult(
                outcome=outcome, credit=run.credits[test], readings=run.readings.get(test, {})
            )
            for test, outcome in run.outcomes.items()
            # Of a run that stopped, what it did not come to is missing and no result.
            if not stop_at_first_loss or outcome is not Outcome.MISSING or test == run.first_loss
        }
        if not memory.outdated:
            for test, result in made.items():
                self._cache.put(names[test], result, how.key)
        return known | made

    def _known(
        self, tests: tuple[str, ...], names: Mapping[str, str], how: RunSettings
    ) -> dict[str, TestResult]:
        found = {
            test: self._cache.get(TestResult, names[test], how.key)
            for test in tests
            if test in names
        }
        return {test: result for test, result in found.items() if result is not None}

    def _memory(self, submission: Submission, key: bytes) -> Memory:
        return Memory(
            self._cache, self._lab, submission, key=key, variant=None, tier=self._pool.tier
        )

    def _collected(self, memory: Memory) -> CollectedSuite:
        return memory.collected() or memory.learn(self._pool.collected(self._lab))
