"""Wall time, as far as this process has watched it go by.

Limits in wall time stop code that waits without computing. A machine that was suspended, or so
busy that nobody got a turn, must not look like that: a stretch in which this process did not look
at the clock counts for `LONGEST_GAP` seconds at most. Who waits looks several times a second.
"""

from __future__ import annotations

import time

LONGEST_GAP = 2.0  # seconds

_last = time.monotonic()
_watched = 0.0


def seconds() -> float:
    """Return the seconds watched so far; every call is a look at the clock."""
    global _last, _watched
    now = time.monotonic()
    _watched += min(now - _last, LONGEST_GAP)
    _last = now
    return _watched
