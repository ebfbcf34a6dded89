"""Names for what a process makes on the host, so that a later one can remove the leftovers."""

from __future__ import annotations

import itertools

import psutil

_numbers = itertools.count()


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
