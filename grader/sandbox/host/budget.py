"""CPU and wall time a stretch of student code may use."""

from __future__ import annotations

import math
from collections.abc import Callable

from grader.sandbox.host import clock
from grader.sandbox.host.failures import StudentTimeout, waited_too_long

# Wall time only stops code that waits without computing; a busy machine must never trip it.
_WALL_PER_CPU_SECOND = 8
_WALL_GRACE_SECONDS = 30.0


class Budget:
    """A CPU allowance, read from outside the sandbox, with wall time as a backstop."""

    def __init__(
        self, cpu_seconds: float, meter: Callable[[], float], until: float = math.inf
    ) -> None:
        """Open an allowance; `until` is the watched second at which every allowance ends."""
        self._meter = meter
        self._until = until
        self._cpu_start = meter()
        self._begun = clock.look()
        self._most = 0.0
        self._open(cpu_seconds)

    def allow(self, cpu_seconds: float) -> None:
        """Set the allowance anew, counted from now."""
        self._most = max(self._most, self._share())
        self._open(cpu_seconds)

    def take_share(self) -> float:
        """Return the largest part of an allowance that was used since this was asked before."""
        most, self._most = max(self._most, self._share()), 0.0
        return most

    def _open(self, cpu_seconds: float) -> None:
        self.cpu_seconds = cpu_seconds
        self._cpu_limit = self._meter() + cpu_seconds
        allowance = cpu_seconds * _WALL_PER_CPU_SECOND + _WALL_GRACE_SECONDS
        self._wall_limit = min(clock.seconds() + allowance, self._until)

    def _share(self) -> float:
        return 1 - (self._cpu_limit - self._meter()) / self.cpu_seconds

    def check(self) -> None:
        """Raise StudentTimeout if the allowance is spent, SandboxError if the machine spent it."""
        if self._meter() > self._cpu_limit:
            message = f"more than {self.cpu_seconds:g} s of CPU time"
            raise StudentTimeout(message, allowance=self.cpu_seconds)
        if clock.seconds() > self._wall_limit:
            raise waited_too_long(self._begun, "waited without computing")

    @property
    def cpu_used(self) -> float:
        """CPU seconds since the budget was opened."""
        return self._meter() - self._cpu_start

    @property
    def wall_used(self) -> float:
        """Wall seconds since the budget was opened."""
        return clock.seconds() - self._begun.watched
