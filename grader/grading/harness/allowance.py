"""What all tests of a run together may use, and what of it each process is given.

Owns the run's limits in CPU, idle and wall seconds. What one stretch of student code may use is its
`Budget`'s, which this opens, renews and asks how near it came to its end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from grader.grading.cache import Charge
from grader.grading.collected import TestSpec
from grader.lab.manifest import IDLE_SECONDS, WALL_PER_CPU_SECOND, Limits
from grader.report.diagnosis import Cause
from grader.sandbox.host import clock
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.failures import StudentTimeout, waited_too_long

_SMALLEST_ALLOWANCE = 0.1


class RunAllowance:
    """The seconds of one run, shared out among its tests."""

    def __init__(
        self,
        limits: Limits,
        charges: Mapping[str, Charge],
        used: Callable[[], float],
        *,
        idle_seconds: float = 0.0,
        held_seconds: float = 0.0,
    ) -> None:
        """Begin to count; `used` tells how many CPU seconds the student's code has used so far.

        `charges` are what tests whose results are known from an earlier run would have used of
        it before each of the others, by that one's id. `idle_seconds` and `held_seconds` have
        passed in earlier processes of this run.
        """
        self._limit = limits.cpu_seconds
        self._charges = charges
        self._used = used
        self._open: dict[Budget, float] = {}  # of the processes that live, with their limits
        # Of wall time in which neither the student's code nor ours ran.
        self.idle_seconds = idle_seconds
        self._begun = clock.look()
        self.until = self._begun.watched + limits.longest_hold_seconds - held_seconds

    def of(self, test: TestSpec, cpu_seconds: float) -> float:
        """Return what a process of this test gets of the seconds it asks for.

        Raises StudentTimeout if the run has nothing left, SandboxError if the machine was so busy
        that the run had hardly anything.
        """
        _, idle = self._charge(test)
        if self.idle_seconds + idle > IDLE_SECONDS or clock.seconds() > self.until:
            raise waited_too_long(self._begun, "the run waited too long without computing")
        left = self._left(test)
        if left < _SMALLEST_ALLOWANCE:
            raise StudentTimeout(f"the run's {self._limit:g} s are spent", Cause.RUN_SPENT)
        return min(cpu_seconds, left)

    @contextmanager
    def watching(self) -> Iterator[Callable[[], float]]:
        """Count the idle seconds of a stretch of the run, which the result then tells."""
        wall, busy, idle = clock.seconds(), self._busy(), 0.0
        try:
            yield lambda: idle
        finally:
            passed = WALL_PER_CPU_SECOND * (self._busy() - busy)
            idle = max(0.0, clock.seconds() - wall - passed)
            self.idle_seconds += idle

    def _busy(self) -> float:
        return self._used() + time.process_time()

    def ran_out(self, test: TestSpec, allowance: float) -> bool:
        """Whether a timeout is the whole run's: the test had only what the others left of it."""
        return allowance < test.cpu_seconds and self._left(test) < _SMALLEST_ALLOWANCE

    @contextmanager
    def lending(self, budget: Budget, cpu_seconds: float) -> Iterator[None]:
        """Hold a living process's budget, whose limit is `cpu_seconds` whenever it is renewed."""
        self._open[budget] = cpu_seconds
        try:
            yield
        finally:
            del self._open[budget]

    def renew(self, test: TestSpec, but: Budget | None = None) -> None:
        """Give the processes that live their time anew: what others used is not their own."""
        for budget, cpu_seconds in self._open.items():
            if budget is not but:
                budget.allow(min(cpu_seconds, max(self._left(test), _SMALLEST_ALLOWANCE)))
                budget.take_share()

    def take_share(self) -> float:
        """Return how near the living processes came to their limits since they were renewed."""
        return max((budget.take_share() for budget in self._open), default=0.0)

    def _left(self, test: TestSpec) -> float:
        """Return what the run has left, tests served from an earlier run charged as if run."""
        cpu, _ = self._charge(test)
        return self._limit - self._used() - cpu

    def _charge(self, test: TestSpec) -> Charge:
        return self._charges.get(test.id, (0.0, 0.0))
