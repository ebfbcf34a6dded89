"""Limits for what the suite itself does with a student's values: nobody works for them for free.

The kernel counts. A phase of a test that uses more CPU time than it may is interrupted by a signal
whose handler raises, or, where no handler can run, by one that ends the process; memory beyond the
limit is refused where it is asked for.
"""

from __future__ import annotations

import math
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

GRACE_SECONDS = 3.0  # CPU, for computations in C that end by themselves
_SOON = 1e-3  # seconds
_MB = 2**20
_REFUSED = "can't allocate memory"  # torch's words, in an error of no kind of its own


class TooMuchToJudge(Exception):
    """The suite's own work on a test went beyond its limit: the value that it got is to blame."""


def limit_memory(memory_mb: int) -> None:
    """Refuse this process, from now on, more than so much memory beside what it has."""
    if sys.platform == "linux":
        limit = _data_bytes() + memory_mb * _MB
        with suppress(ValueError, OSError):  # the machine allows less than that already
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data_bytes() -> int:
    """Return what counts against the limit: private memory that can be written to."""
    with open("/proc/self/status", encoding="ascii") as file:
        sizes = (line.split() for line in file if line.startswith(("VmData:", "VmStk:")))
        return sum(int(size) * 1024 for _, size, _ in sizes)


class OwnWork:
    """The CPU seconds that this process may use: for one test, and for all of a run together.

    Python code is interrupted by an exception. A computation in C, which no exception reaches,
    ends the whole process some seconds later; who started it goes on in another.
    """

    def __init__(self, test_seconds: float, run_seconds: float, spent: float = 0.0) -> None:
        """Begin to count; `spent` is what processes before this one used for the run."""
        self._test_seconds = test_seconds
        self._run_seconds = run_seconds
        self._spent = spent
        self._until = 0.0  # of this process's own CPU seconds

    @contextmanager
    def of_a_test(self) -> Iterator[None]:
        """Let the block, a test from its first phase to its last, use what a test may."""
        left = self._run_seconds - self._spent - time.process_time()
        self._until = time.process_time() + min(self._test_seconds, max(left, 0.0))
        _end_process_at(self._until + GRACE_SECONDS)
        try:
            yield
        finally:
            _end_process_at(None)

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Raise TooMuchToJudge in the block, a phase of a test, when the test's time is up."""

        def interrupt(number: int, frame: FrameType | None) -> None:
            raise TooMuchToJudge("the suite worked longer on this test than it may")

        left = self._until - time.process_time()
        if left <= 0:
            interrupt(signal.SIGPROF, None)
        before = signal.signal(signal.SIGPROF, interrupt)
        around, _ = signal.setitimer(signal.ITIMER_PROF, left)
        try:
            yield
        finally:
            # A block around this one has the same end, unless that has passed already.
            left = max(self._until - time.process_time(), _SOON) if around else 0.0
            signal.setitimer(signal.ITIMER_PROF, left)
            signal.signal(signal.SIGPROF, before)


def _end_process_at(cpu_seconds: float | None) -> None:
    """Have the kernel end this process by SIGXCPU when it has used so much; None for never."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    soft = hard if cpu_seconds is None else math.ceil(cpu_seconds)
    if hard == resource.RLIM_INFINITY or soft <= hard:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def is_too_much(error: BaseException) -> bool:
    """Whether an exception says that the suite's own work went beyond a limit."""
    if isinstance(error, (TooMuchToJudge, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and _REFUSED in str(error)
