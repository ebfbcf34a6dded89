"""The sandboxes of one run: one for each kind of test, each with the submission imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial

from grader.grading.collected import SandboxKind
from grader.grading.laid_out import lay_out_code
from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.sandbox import Cell, Sandbox
from grader.sandbox.host.failures import StudentError

Supply = Callable[[tuple[str, ...]], Cell]  # gives an empty cell that hides these libraries


class RunSandboxes:
    """Makes a sandbox when a test first needs its kind, and asks them all at once."""

    def __init__(
        self, assignment: Assignment, submission: Submission, supply: Supply, spent: float = 0.0
    ) -> None:
        """Have no sandbox yet; `spent` are CPU seconds used in those of an earlier process."""
        self._spent = spent
        self._assignment = assignment
        self._submission = submission
        self._supply = supply
        self._by_kind: dict[SandboxKind, Sandbox] = {}
        self._open = ExitStack()
        self.import_cpu_seconds: dict[SandboxKind, float] = {}

    def move_in(self, kinds: Iterable[SandboxKind]) -> None:
        """Import the submission into sandboxes of these kinds; SandboxError if there are none."""
        for kind in dict.fromkeys(kinds):
            self.import_cpu_seconds[kind] = self.of(kind).cpu_seconds()

    def of(self, kind: SandboxKind) -> Sandbox:
        """Return the sandbox of a kind."""
        if kind not in self._by_kind:
            sandbox = Sandbox(
                lambda: self._supply(kind.without),
                partial(lay_out_code, self._assignment, self._submission),
                tuple(self.modules(kind.without).values()),
                self._assignment.limits.import_cpu_seconds,
            )
            self._open.callback(sandbox.close)
            self._by_kind[kind] = sandbox
        return self._by_kind[kind]

    def modules(self, without: tuple[str, ...]) -> dict[str, str]:
        """Return short -> dotted names of the modules that work without these libraries."""
        found = {}
        for file in self._assignment.files:
            name = file.module
            if name and set(without) <= set(file.without):
                found[name.rpartition(".")[2]] = name
        return found

    def output(self, kind: SandboxKind) -> str:
        """Return what the last test in a sandbox of this kind printed."""
        sandbox = self._by_kind.get(kind)
        return sandbox.output.text() if sandbox else ""

    def cpu_seconds(self) -> float:
        """Return the CPU time of the student's own code so far, in all sandboxes."""
        return self._spent + sum(sandbox.cpu_seconds() for sandbox in self._by_kind.values())

    def import_failures(self) -> dict[str, StudentError]:
        """Return why modules could not be imported, by name; nothing hidden had reached them."""
        found: dict[str, StudentError] = {}
        for sandbox in self._by_kind.values():
            found |= sandbox.failures
            if sandbox.import_failure is not None:
                found["your files"] = sandbox.import_failure
        return found

    def close_visible(self) -> None:
        """End the sandboxes whose output is shown to students."""
        for kind, sandbox in self._by_kind.items():
            if kind.shown:
                sandbox.close()

    def close(self) -> None:
        """Kill what runs in the sandboxes, after a last look at their meters."""
        self._open.close()
