"""Wall time, as far as this process has watched it go by and student code could have computed.

Limits in wall time stop code that waits without computing. A machine that was suspended, or so
busy that nobody got a turn, must not look like that. So a stretch in which this process did not
look at the clock counts for `LONGEST_GAP` seconds at most: who waits looks several times a second.
And while a process that is followed stands in line for a core, as the kernel counts it, time goes
by at a fourth of its speed: a quarter counts, so that nobody holds a worker for ever in a line.

Of a process with several threads that one counts which waited longest: many that wait for a moment
each are no line.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

LONGEST_GAP = 2.0  # seconds
QUEUED_SHARE = 0.75  # of a stretch at most is not counted
_STEP = 0.1  # seconds: a look that follows sooner sees the same time, and reads nothing

Queue = Callable[[], Mapping[int, float]]  # seconds in line so far, of each thread by its number

_last = time.monotonic()
_watched = 0.0
_in_line = 0.0
_owed = 0.0  # told by the kernel, once the wait was over, and not yet taken off
_queues: dict[Queue, Mapping[int, float]] = {}  # what each told last


@dataclass(frozen=True)
class ClockReading:
    """A look at the clock: seconds watched so far, and seconds that were not counted beside."""

    watched: float
    in_line: float

    def starved_since(self) -> bool:
        """Whether more of what has passed since was spent in line than is counted."""
        now = look()
        return now.in_line - self.in_line > now.watched - self.watched


def seconds() -> float:
    """Return the seconds watched so far; every call is a look at the clock."""
    return look().watched


def look() -> ClockReading:
    """Look at the clock."""
    global _last, _watched, _in_line, _owed
    now = time.monotonic()
    gap = min(now - _last, LONGEST_GAP)
    if gap >= _STEP:
        _last = now
        _owed += _newly_queued()
        uncounted = min(_owed, QUEUED_SHARE * gap)
        _owed -= uncounted
        _in_line += uncounted
        _watched += gap - uncounted
    return ClockReading(_watched, _in_line)


def follow(queue: Queue) -> None:
    """Have a process's standing in line from now on not count."""
    _queues[queue] = queue()


def leave(queue: Queue) -> None:
    """Forget a process that was followed, or was not."""
    _queues.pop(queue, None)


def _newly_queued() -> float:
    """Return for how many seconds they stood in line since this was asked before."""
    total = 0.0
    for queue, before in list(_queues.items()):
        _queues[queue] = now = queue()
        new = (waited - before.get(thread, 0.0) for thread, waited in now.items())
        total += max(new, default=0.0)
    return total
