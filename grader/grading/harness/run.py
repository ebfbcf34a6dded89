"""The state of one suite's run: whose submission, which sandboxes, what every test came to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.from_scratch import FromScratchWatch
from grader.grading.collected import SandboxKind, TestSpec
from grader.intake.submission import Submission
from grader.lab.bars import Bars
from grader.lab.given import given_file
from grader.lab.manifest import Assignment
from grader.report.causes import Cause
from grader.report.report import Artifact, Outcome
from grader.sandbox import Cell, Sandbox, Tier
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.failures import StudentError, StudentTimeout
from grader.sandbox.host.proxy import Student

_SMALLEST_ALLOWANCE = 0.1
_IDLE_SECONDS = 600.0  # for all tests of a run together: sleeping must not hold a worker for hours


@dataclass
class Verdict:
    """What one test came to; changed only by the plugin, in the trusted process."""

    outcome: Outcome = Outcome.MISSING
    credit: float = 0.0
    cause: Cause | None = None
    blocked: bool = False  # a test it needs did not pass
    detail: str = ""
    output: str = ""
    allowance: float | None = None  # the CPU seconds that were too few, after a timeout
    cpu_share: float = 0.0  # the largest part of an allowance that was used
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    idle_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def lost(self) -> bool:
        """Whether the test earned less than it could."""
        return self.outcome is not Outcome.PASSED or self.credit < 1


class SuiteRun:
    """Everything the fixtures and the plugin share while a suite runs."""

    def __init__(self, assignment: Assignment, tier: Tier) -> None:
        self.assignment = assignment
        self.tier = tier
        self.reference = SimpleNamespace()
        self.bars: Bars = {}
        self.specs: dict[str, TestSpec] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.artifacts: list[Artifact] = []
        self.pictures: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.current: TestSpec | None = None
        self.first_loss: str | None = None  # the test that ended a run which stops there
        self.idle_seconds = 0.0  # of wall time in which neither the student's code nor ours ran
        self.import_cpu_seconds: dict[SandboxKind, float] = {}  # by kind of sandbox
        self.served: frozenset[str] = frozenset()
        self._charges: Mapping[str, tuple[float, float]] = {}
        self._sandboxes: dict[SandboxKind, Sandbox] = {}
        self._budgets: dict[Budget, float] = {}  # of the processes that live, with their limits
        self._stack = ExitStack()

    def begin(
        self,
        submission: Submission,
        *,
        key: bytes,
        variant: dict[str, Any],
        variant_name: str | None = None,
        supply: Callable[[tuple[str, ...]], Cell],
        only: tuple[str, ...] = (),
        stop_at_first_loss: bool = False,
        inputs_of: str | None = None,
        served: Mapping[str, Outcome] | None = None,
        charges: Mapping[str, tuple[float, float]] | None = None,
        on_test: Callable[[int, int, str, str], None] = lambda *news: None,
    ) -> None:
        """Bind the collected suite to one submission.

        `supply` gives empty sandboxes that hide some libraries; `only` names the tests to run and
        their order, all if it is empty; after a loss `stop_at_first_loss` runs none of the rest;
        `inputs_of` is the digest of another submission, whose hidden inputs are to be drawn;
        `served` tests are not run: their outcomes are known from an earlier run, and `charges`
        says what CPU and idle seconds they would have cost before each of the others; `on_test`
        hears of every test that ended.
        """
        self.submission = submission
        self.variant = variant
        self.variant_name = variant_name
        self.on_test = on_test
        self.stop_at_first_loss = stop_at_first_loss
        self.from_scratch = FromScratchWatch(self.assignment, submission)
        self._key = key
        self._inputs_of = inputs_of or submission.digest
        self._supply = supply
        if only:
            self._select(only)
        for test_id in self.specs:
            self.verdict(test_id)
        for test_id, outcome in (served or {}).items():
            self.verdict(test_id).outcome = outcome
        self.served = frozenset(served or {})
        self._charges = charges or {}
        self.on_test(len(self.served), len(self.specs), "", "")

    def _select(self, only: tuple[str, ...]) -> None:
        """Keep only the wanted tests, in their order, each after those that it needs."""
        wanted: dict[str, TestSpec] = {}

        def add(name: str) -> None:
            if name not in self.specs:
                self.faults.append(f"the suite has no test {name!r}")
            elif name not in wanted:
                for need in self.specs[name].needs:
                    add(need)
                wanted[name] = self.specs[name]

        for name in only:
            add(name)
        self.specs = wanted

    def seed(self, test_id: str, purpose: str = "inputs") -> int:
        """Return a 63-bit seed that depends on the key, the submission and the test alone."""
        text = f"{self._inputs_of}\n{purpose}\n{test_id}".encode()
        return int.from_bytes(hmac.digest(self._key, text, hashlib.sha256)[:8], "big") >> 1

    def move_in(self) -> None:
        """Import the submission wherever it will be tested, before any hidden input is made.

        What an import says is shown to students: it must not know what a hidden test asked.
        """
        due = [spec.kind for spec in self.specs.values() if spec.id not in self.served]
        for kind in dict.fromkeys(due):
            self.import_cpu_seconds[kind] = self._sandbox(kind).cpu_seconds()

    def close_visible(self) -> None:
        """End the sandboxes whose output is shown to students, before hidden inputs are made."""
        for kind, sandbox in self._sandboxes.items():
            if kind.shown:
                sandbox.close()

    def _sandbox(self, kind: SandboxKind) -> Sandbox:
        if kind not in self._sandboxes:
            sandbox = Sandbox(
                lambda: self._supply(kind.without),
                self._write,
                tuple(self._modules(kind.without).values()),
                self.assignment.limits.import_cpu_seconds,
            )
            self._stack.callback(sandbox.close)
            self._sandboxes[kind] = sandbox
        return self._sandboxes[kind]

    def _write(self, folder: Path) -> None:
        """Write the submission, then our own files over whatever stands in their place."""
        self.submission.write_to(folder)
        for given in self.assignment.given:
            target = folder / given.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(given_file(self.assignment.folder, given.path).read_bytes())

    def _modules(self, without: tuple[str, ...]) -> dict[str, str]:
        """Return short -> dotted names of the modules that work without these libraries."""
        found = {}
        for file in self.assignment.files:
            name = file.module
            if name and set(without) <= set(file.without):
                found[name.rpartition(".")[2]] = name
        return found

    @contextmanager
    def student(self, seed: int, cpu_seconds: float) -> Iterator[Student]:
        """Give the current test a fork of the student's process."""
        spec = self.running
        sandbox = self._sandbox(spec.kind)
        allowance = min(cpu_seconds, self.cpu_left())
        modules = self._modules(spec.without)
        with (
            sandbox.session(seed, allowance) as session,
            self.from_scratch.over(session.channel, modules.values(), spec.without),
        ):
            self._budgets[session.budget] = cpu_seconds
            try:
                yield Student(
                    session.channel,
                    session.budget,
                    modules,
                    sandbox.failures,
                    partial(self._after_block, session.budget),
                )
            finally:
                del self._budgets[session.budget]

    def renew_budgets(self, but: Budget | None = None) -> None:
        """Give the processes that live their time anew: what others used is not their own."""
        for budget, cpu_seconds in self._budgets.items():
            if budget is not but:
                budget.allow(min(cpu_seconds, max(self._cpu_rest(), _SMALLEST_ALLOWANCE)))
                budget.take_share()

    def _after_block(self, budget: Budget) -> None:
        """Keep what a block with time of its own used of it; for the others it did not pass."""
        verdict = self.verdict(self.running.id)
        verdict.cpu_share = max(verdict.cpu_share, budget.take_share())
        self.renew_budgets(but=budget)

    def note_shares(self) -> None:
        """Keep how near the current test came to an allowance; its processes still live."""
        verdict = self.verdict(self.running.id)
        shares = [budget.take_share() for budget in self._budgets]
        verdict.cpu_share = max([verdict.cpu_share, *shares])

    def cpu_seconds(self) -> float:
        """Return the CPU time of the student's own code so far, in all sandboxes."""
        return sum(sandbox.cpu_seconds() for sandbox in self._sandboxes.values())

    def cpu_left(self) -> float:
        """Return what the whole run may still use; StudentTimeout if nothing is left."""
        _, idle = self._charges.get(self.running.id, (0.0, 0.0))
        if self.idle_seconds + idle > _IDLE_SECONDS:
            raise StudentTimeout("the run waited too long without computing", Cause.WAITED)
        left = self._cpu_rest()
        if left < _SMALLEST_ALLOWANCE:
            limit = self.assignment.limits.cpu_seconds
            raise StudentTimeout(f"the run's {limit:g} s are spent", Cause.RUN_SPENT)
        return left

    def ran_out(self, allowance: float) -> bool:
        """Whether a timeout is the whole run's: the test had only what the others left of it."""
        return allowance < self.running.cpu_seconds and self._cpu_rest() < _SMALLEST_ALLOWANCE

    def _cpu_rest(self) -> float:
        """Return what the run has left, tests served from an earlier run charged as if run."""
        cpu, _ = self._charges.get(self.running.id, (0.0, 0.0))
        return self.assignment.limits.cpu_seconds - self.cpu_seconds() - cpu

    @property
    def running(self) -> TestSpec:
        """The test that is running now."""
        if self.current is None:
            raise RuntimeError("no test is running")
        return self.current

    def verdict(self, test_id: str) -> Verdict:
        """Return the verdict being formed for a test."""
        return self.verdicts.setdefault(test_id, Verdict())

    def output(self) -> str:
        """Return what the current test's sandbox printed."""
        sandbox = self._sandboxes.get(self.running.kind)
        return sandbox.output.text() if sandbox else ""

    def import_failures(self) -> dict[str, StudentError]:
        """Return why modules could not be imported, by name; nothing hidden had reached them."""
        found: dict[str, StudentError] = {}
        for box in self._sandboxes.values():
            found |= box.failures
            if box.import_failure is not None:
                found["your files"] = box.import_failure
        return found

    def close(self) -> None:
        """Kill what runs in the sandboxes, after a last look at their meters."""
        self._stack.close()


RUN = pytest.StashKey[SuiteRun]()
