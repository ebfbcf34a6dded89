"""Names for what a process makes on the host, so that a later one can remove the leftovers."""

from __future__ import annotations

import itertools
import os

import psutil

_numbers = itertools.count()
# Far above any account of the host, and different for every sandbox that lives at one time.
_FIRST_UID = 1_000_000_000


def own_name() -> str:
    """Return a fresh name that tells which process made it and when that process started."""
    me = psutil.Process()
    return f"{me.pid}-{int(me.create_time())}-{next(_numbers)}"


def owner_alive(name: str) -> bool:
    """Return whether the process that made something of this name still runs."""
    pid, _, rest = name.partition("-")
    started = rest.partition("-")[0]
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(started)
    except (psutil.Error, ValueError):
        return False


def fresh_uid() -> int:
    """Return a user id that nothing on the host belongs to."""
    return _FIRST_UID + (os.getpid() % 4_000_000) * 100 + next(_numbers) % 100
