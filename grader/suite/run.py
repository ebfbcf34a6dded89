"""The state of one suite's run: whose submission, which sandboxes, what every test came to."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grader.assignment import Assignment
from grader.reasons import Cause
from grader.report import Artifact, Outcome
from grader.sandbox import Confinement, Sandbox, SandboxSpec
from grader.submission.model import Submission
from grader.suite.marks import TestSpec
from grader.wire.failures import StudentError, StudentTimeout
from grader.wire.proxy import Student

Kind = tuple[tuple[str, ...], bool]
_SMALLEST_ALLOWANCE = 0.1


@dataclass
class Verdict:
    """What one test came to; changed only by the plugin, in the trusted process."""

    outcome: Outcome = Outcome.MISSING
    credit: float = 0.0
    cause: Cause | None = None
    blocked: bool = False  # a test it needs did not pass
    detail: str = ""
    output: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


class SuiteRun:
    """Everything the fixtures and the plugin share while a suite runs."""

    def __init__(
        self,
        assignment: Assignment,
        submission: Submission,
        confinement: Confinement,
        key: bytes,
        variant: dict[str, Any],
        conceal: tuple[Path, ...] = (),
        only: tuple[str, ...] = (),
    ) -> None:
        self.assignment = assignment
        self.submission = submission
        self.reference = SimpleNamespace()
        self.tier = confinement.tier
        self.only = only  # ids of the tests to run; empty for the whole suite
        self.variant = variant
        self.specs: dict[str, TestSpec] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.artifacts: list[Artifact] = []
        self.pictures: dict[str, bytes] = {}
        self.faults: list[str] = []
        self.current: TestSpec | None = None
        self._key = key
        self._conceal = conceal
        self._confinement = confinement
        self._sandboxes: dict[Kind, Sandbox] = {}
        self._loaded: dict[Kind, float] = {}  # CPU seconds of the start, not the student's
        self._settled: float | None = None
        self._stack = ExitStack()

    def seed(self, test_id: str, purpose: str = "inputs") -> int:
        """Return a 63-bit seed that depends on the key, the submission and the test alone."""
        text = f"{self.submission.digest}\n{purpose}\n{test_id}".encode()
        return int.from_bytes(hmac.digest(self._key, text, hashlib.sha256)[:8], "big") >> 1

    def start_sandboxes(self) -> None:
        """Start a sandbox for the hidden tests of each kind of part, to warm up side by side."""
        served = (part for part in self.assignment.parts if not all(i.manual for i in part.items))
        for without in {part.without for part in served}:
            self._sandbox((without, False))

    def _sandbox(self, kind: Kind) -> Sandbox:
        if kind not in self._sandboxes:
            without, _ = kind
            spec = SandboxSpec(
                hide=without,
                warm=tuple(name for name in ("numpy", "torch") if name not in without),
                memory_mb=self.assignment.limits.memory_mb,
                cpu_seconds=int(self.assignment.limits.cpu_seconds) + 60,
                conceal=self._conceal,
            )
            sandbox = Sandbox(self._confinement, spec)
            self._stack.callback(sandbox.close)
            self._sandboxes[kind] = sandbox
        return self._sandboxes[kind]

    def _ready(self, kind: Kind) -> Sandbox:
        sandbox = self._sandbox(kind)
        if kind not in self._loaded:
            sandbox.wait_ready()
            self._loaded[kind] = sandbox.cpu_seconds()
            sandbox.load(
                self._write,
                tuple(self._modules(kind[0]).values()),
                self.assignment.limits.import_cpu_seconds,
            )
        return sandbox

    def _write(self, folder: Path) -> None:
        """Write the submission, then our own files over whatever stands in their place."""
        self.submission.write_to(folder)
        for given in self.assignment.given:
            target = folder / given.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((self.assignment.folder / given.path).read_bytes())

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
        sandbox = self._ready(spec.kind)
        allowance = min(cpu_seconds, self.cpu_left())
        with sandbox.session(seed, allowance) as session:
            yield Student(
                session.channel, session.budget, self._modules(spec.without), sandbox.failures
            )

    def cpu_seconds(self) -> float:
        """Return the CPU time of the student's own code so far, in all sandboxes."""
        if self._settled is not None:
            return self._settled
        return sum(
            sandbox.cpu_seconds() - self._loaded[kind]
            for kind, sandbox in self._sandboxes.items()
            if kind in self._loaded
        )

    def cpu_left(self) -> float:
        """Return what the whole run may still use; StudentTimeout if nothing is left."""
        limit = self.assignment.limits.cpu_seconds
        left = limit - self.cpu_seconds()
        if left < _SMALLEST_ALLOWANCE:
            raise StudentTimeout(f"the run's {limit:g} s are spent", Cause.RUN_SPENT)
        return left

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

    def settle(self) -> None:
        """Read the meters a last time, before the sandboxes are gone."""
        self._settled = self.cpu_seconds()

    def close(self) -> None:
        """Kill the sandboxes and remove what they left."""
        self._stack.close()


RUN = pytest.StashKey[SuiteRun]()
