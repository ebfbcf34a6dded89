"""One suite's run on one submission: which tests, in which order, and what each came to."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import pytest

from grader.from_scratch import FromScratchWatch
from grader.grading.collected import TestSpec
from grader.grading.harness.allowance import RunAllowance
from grader.grading.harness.own_work import OwnWork
from grader.grading.harness.probe import Probe
from grader.grading.harness.sandboxes import RunSandboxes, Supply
from grader.grading.harness.so_far import EndedTest, RunSoFar
from grader.grading.harness.suite import LoadedSuite
from grader.grading.job import GradingJob
from grader.grading.verdict import Verdict
from grader.report.report import Artifact
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.proxy import Student


class SuiteRun:
    """Everything the fixtures and the judge share while a suite runs."""

    def __init__(
        self,
        suite: LoadedSuite,
        job: GradingJob,
        supply: Supply,
        so_far: RunSoFar | None = None,
    ) -> None:
        """Bind a collected suite to one submission, in whose process nothing else is graded.

        `so_far` is what earlier processes of this run came to; their tests are not run again.
        """
        so_far = so_far or RunSoFar()
        limits = suite.assignment.limits
        self.suite = suite
        self.job = job
        self.submission = job.submission()
        self.variant = suite.assignment.variant(job.variant)
        self.specs = suite.specs  # of the tests that belong to this run
        self.verdicts: dict[str, Verdict] = {}
        self.faults: list[str] = []  # of ours: with one, the run has no score
        self.artifacts: list[Artifact] = []
        self.pictures: dict[str, bytes] = {}
        self.current: TestSpec | None = None
        self.first_loss: str | None = None  # the test that ended a run which stops there
        self.from_scratch = FromScratchWatch(suite.assignment, self.submission)
        self.probe = Probe(job.probe)
        self.sandboxes = RunSandboxes(
            suite.assignment, self.submission, supply, spent=so_far.cpu_seconds
        )
        self.allowance = RunAllowance(
            limits,
            job.charges,
            self.sandboxes.cpu_seconds,
            idle_seconds=so_far.idle_seconds,
            held_seconds=so_far.held_seconds,
        )
        self.own_work = OwnWork(
            limits.judging_cpu_seconds, limits.cpu_seconds, spent=so_far.own_cpu_seconds
        )
        if job.only:
            self.specs = self._selected(job.only)
        for test_id in self.specs:
            self.verdict(test_id)
        for entry in job.served:
            self.verdict(entry.report.id).outcome = entry.report.outcome
        self.served = frozenset(entry.report.id for entry in job.served)
        self.ended = {ended.test for ended in so_far.ended}
        for ended in so_far.ended:
            self._take_over(ended)
        self._import_failures = so_far.import_failures

    def _take_over(self, ended: EndedTest) -> None:
        """Keep what a test came to in an earlier process of this run."""
        self.verdicts[ended.test] = ended.verdict
        self.artifacts += ended.artifacts
        self.pictures |= {name: base64.b64decode(data) for name, data in ended.pictures.items()}
        self.from_scratch.take_over(ended.findings)
        if ended.readings is not None:
            self.probe.readings[ended.test] = ended.readings
        if self.job.stop_at_first_loss and ended.verdict.lost:
            self.first_loss = ended.test

    def told(self, test_id: str) -> EndedTest:
        """Return all that a test has left to the run, for a process that may have to go on."""
        artifacts = tuple(one for one in self.artifacts if one.test == test_id)
        drawn = {one.sha256: self.pictures[one.sha256] for one in artifacts}
        return EndedTest(
            test=test_id,
            verdict=self.verdict(test_id),
            artifacts=artifacts,
            pictures={name: base64.b64encode(data).decode() for name, data in drawn.items()},
            findings=tuple(one for one in self.from_scratch.findings if one.test == test_id),
            readings=self.probe.readings.get(test_id),
            cpu_seconds=self.sandboxes.cpu_seconds(),
            idle_seconds=self.allowance.idle_seconds,
        )

    def _selected(self, only: tuple[str, ...]) -> dict[str, TestSpec]:
        """Return only the wanted tests, in their order, each after those that it needs."""
        wanted: dict[str, TestSpec] = {}

        def add(name: str) -> None:
            if name not in self.suite.specs:
                self.faults.append(f"the suite has no test {name!r}")
            elif name not in wanted:
                for need in self.suite.specs[name].needs:
                    add(need)
                wanted[name] = self.suite.specs[name]

        for name in only:
            add(name)
        return wanted

    def due(self) -> Sequence[TestSpec]:
        """Return the tests to run: the visible first, while nothing hidden is inside."""
        if self.first_loss is not None:
            return []
        known = self.served | self.ended
        left = [spec for spec in self.specs.values() if spec.id not in known]
        return sorted(left, key=lambda spec: not spec.shown)

    @property
    def variant_name(self) -> str | None:
        """The variant that is graded, None if the lab has none."""
        return self.job.variant or self.suite.assignment.default_variant

    def seed(self, test_id: str, purpose: str = "inputs") -> int:
        """Return a 63-bit seed that depends on the key, the submission and the test alone."""
        drawn_for = self.job.inputs_of or self.submission.digest
        text = f"{drawn_for}\n{purpose}\n{test_id}".encode()
        key = bytes.fromhex(self.job.key)
        return int.from_bytes(hmac.digest(key, text, hashlib.sha256)[:8], "big") >> 1

    @property
    def done(self) -> int:
        """How many tests have ended, known ones among them."""
        return len(self.served) + len(self.ended)

    @property
    def share(self) -> float:
        """What part of the CPU time that the tests may take belongs to those that have ended.

        A training that may take a minute says more of how long is left than fifty small tests.
        """
        known = self.served | self.ended
        ended = sum(spec.cpu_seconds for spec in self.specs.values() if spec.id in known)
        allowed = sum(spec.cpu_seconds for spec in self.specs.values())
        return ended / allowed if allowed else 1.0

    def import_failures(self) -> dict[str, str]:
        """Return why modules could not be imported, by name, as the run's first process heard it.

        A later one imports after hidden inputs have been inside.
        """
        if self._import_failures is not None:
            return self._import_failures
        return {name: str(error) for name, error in self.sandboxes.import_failures().items()}

    def move_in(self) -> None:
        """Import the submission wherever it will be tested, before any hidden input is made.

        What an import says is shown to students: it must not know what a hidden test asked.
        """
        with self.allowance.watching():
            self.sandboxes.move_in(spec.kind for spec in self.due())

    @contextmanager
    def student(self, seed: int, cpu_seconds: float) -> Iterator[Student]:
        """Give the current test a fork of the student's process."""
        spec = self.running
        allowed, until = self.allowance.of(spec, cpu_seconds), self.allowance.until
        sandbox = self.sandboxes.of(spec.kind)
        modules = self.sandboxes.modules(spec.without)
        with (
            sandbox.session(seed, allowed, until) as session,
            self.from_scratch.over(session.channel, modules.values(), spec.without),
            self.allowance.lending(session.budget, cpu_seconds),
            self.probe.over(session.channel, modules.values()),
        ):
            yield Student(
                session.channel,
                session.budget,
                modules,
                sandbox.failures,
                partial(self._after_block, session.budget),
            )

    def _after_block(self, budget: Budget) -> None:
        """Keep what a block with time of its own used of it; for the others it did not pass."""
        self._note_share(budget.take_share())
        self.allowance.renew(self.running, but=budget)

    def note_shares(self) -> None:
        """Keep how near the current test came to an allowance; its processes still live."""
        self._note_share(self.allowance.take_share())

    def _note_share(self, share: float) -> None:
        verdict = self.verdict(self.running.id)
        verdict.cpu_share = max(verdict.cpu_share, share)

    @property
    def running(self) -> TestSpec:
        """The test that is running now."""
        if self.current is None:
            raise RuntimeError("no test is running")
        return self.current

    def verdict(self, test_id: str) -> Verdict:
        """Return the verdict being formed for a test."""
        return self.verdicts.setdefault(test_id, Verdict())


RUN = pytest.StashKey[SuiteRun]()
