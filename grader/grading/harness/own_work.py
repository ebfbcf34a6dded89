"""Limits for what the suite itself does with a student's values: nobody works for them for free.

The kernel counts. A phase of a test that uses more CPU time than it may is interrupted by a signal
whose handler raises; memory beyond the limit is refused where it is asked for.
"""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

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


@contextmanager
def limited(cpu_seconds: float) -> Iterator[None]:
    """Let the block use so many CPU seconds of this process; raise TooMuchToJudge beyond."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TooMuchToJudge(f"the suite worked for more than {cpu_seconds:g} s on this test")

    before = signal.signal(signal.SIGPROF, interrupt)
    around, _ = signal.setitimer(signal.ITIMER_PROF, cpu_seconds)  # of a block around this one
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, around)
        signal.signal(signal.SIGPROF, before)


def is_too_much(error: BaseException) -> bool:
    """Whether an exception says that the suite's own work went beyond a limit."""
    if isinstance(error, (TooMuchToJudge, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and _REFUSED in str(error)
