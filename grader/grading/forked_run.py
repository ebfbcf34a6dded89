"""A run as the grading server sees it: a fork of its own, to be supplied and seen off."""

from __future__ import annotations

import json
import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO, Any

from grader.errors import SandboxError
from grader.grading.harness.so_far import EndedTest, RunSoFar
from grader.grading.job import GradingJob
from grader.grading.verdict import Verdict
from grader.report.diagnosis import Cause, Diagnosis
from grader.report.report import Outcome
from grader.sandbox import Cell
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.pool import Nursery

_MAX_FAULT = 8_000
# Ends that come from outside, from an operator or a machine without memory: a fault of ours.
_FROM_OUTSIDE = {
    -signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGALRM,
}  # fmt: skip


@dataclass(eq=False)
class ForkedRun:
    """The server's hold on one trusted process and on the sandboxes that it was given."""

    pid: int
    job: GradingJob
    requests: MessageSocket  # on which it asks for sandboxes and tells what tests came to
    caller: MessageSocket  # ours to use only if the run dies
    log: IO[bytes]  # what it prints; nobody reads it unless it dies
    so_far: RunSoFar  # what processes of this run before it came to
    cells: list[tuple[Nursery, Cell]] = field(default_factory=list)
    ended: bool = False
    began: float = field(default_factory=time.monotonic)
    running: str = ""  # id of the test that it is in
    tests: list[dict[str, Any]] = field(default_factory=list)  # that it has ended
    import_failures: dict[str, str] | None = None

    def hear(self) -> list[tuple[str, ...]] | None:
        """Take in what it says; return the sandboxes that it asks for, None if it has ended."""
        if not self.requests.read():
            return None
        wanted = []
        while (line := self.requests.line()) is not None:
            ((word, said),) = json.loads(line).items()
            if word == "hide":
                wanted.append(tuple(said))
            elif word == "imported":
                self.import_failures = said
            elif word == "begins":
                self.running = said
            else:
                self.running = ""
                self.tests.append(said)
        return wanted

    def hand_over(self, nursery: Nursery, cell: Cell | SandboxError) -> None:
        """Give the run a sandbox, or the reason why there is none."""
        if isinstance(cell, SandboxError):
            self.refuse(cell)
            return
        if self.ended:
            nursery.discard(cell)
            return
        self.cells.append((nursery, cell))
        known, fds = cell.describe()
        with suppress(OSError):
            self.requests.send(known, *fds)
        cell.release()

    def refuse(self, error: SandboxError) -> None:
        """Say why there is no sandbox."""
        with suppress(OSError):
            self.requests.send({"fault": str(error)})

    def uses(self, nursery: Nursery) -> bool:
        """Whether a sandbox of this nursery is in the run's hands."""
        return any(source is nursery for source, _ in self.cells)

    def see_off(self) -> RunSoFar | None:
        """Remove what an ended run leaves, and answer for it if it could not.

        Returns what another process needs to go on, with the caller still there, if this one ended
        in the middle of a test through a value that it judged.
        """
        self.ended = True
        _, status, usage = os.wait4(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        so_far = None
        if self.running and code != 0 and code not in _FROM_OUTSIDE:
            so_far = self._up_to_here(code, usage)
        for nursery, cell in self.cells:
            nursery.discard(cell)
        if so_far is None:
            if code != 0:
                self._answer(f"the trusted process ended with {code}:\n{self._last_words()}")
            self.caller.close()
        self.requests.close()
        self.log.close()
        return so_far

    def _up_to_here(self, code: int, usage: resource.struct_rusage) -> RunSoFar:
        before = self.so_far
        ended = [*before.ended, *map(EndedTest.model_validate, self.tests)]
        idle = ended[-1].idle_seconds if ended else before.idle_seconds
        last = EndedTest(
            test=self.running,
            verdict=self._verdict(code),
            cpu_seconds=before.cpu_seconds + sum(cell.cpu_seconds() for _, cell in self.cells),
            idle_seconds=idle,
        )
        return RunSoFar(
            ended=(*ended, last),
            import_failures=self.import_failures,
            own_cpu_seconds=before.own_cpu_seconds + usage.ru_utime + usage.ru_stime,
            held_seconds=before.held_seconds + time.monotonic() - self.began,
            started_at=before.started_at,
        )

    def _verdict(self, code: int) -> Verdict:
        """Judge the test in which our own process ended."""
        if code == -signal.SIGXCPU:
            return Verdict(
                outcome=Outcome.FAILED,
                diagnosis=Diagnosis(cause=Cause.TOO_MUCH_TO_JUDGE),
                detail="a computation of the suite's own did not come to its end within the limit",
            )
        detail = f"the trusted process ended with {code} in this test:\n{self._last_words()}"
        return Verdict(outcome=Outcome.UNJUDGED, detail=detail)

    def abort(self, fault: str) -> None:
        """End a run that can come to nothing, and say why."""
        self._answer(fault)
        self.running = ""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.see_off()

    def _answer(self, fault: str) -> None:
        with suppress(OSError):
            self.caller.send({"fault": fault})

    def _last_words(self) -> str:
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-_MAX_FAULT:]

    def release(self) -> None:
        """Close the sockets; all that a fork of the server has to do about another run."""
        self.requests.close()
        self.caller.close()
