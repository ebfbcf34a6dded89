"""A running sandbox as its processes: their CPU time, and the end of all of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psutil

_PATIENCE_SECONDS = 10.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


class ProcessTree:
    """Some processes and everything they started; with `uid`, everything of that user besides.

    CPU time is the sum over what still exists; the time of a process that is gone counts through
    the parent that waited for it, as the runner does. Student code that has its own children
    vanish without a trace is stopped by wall time, and is why tier 1 counts with a cgroup.
    """

    def __init__(self, pids: Iterable[int], uid: int | None = None) -> None:
        self._pids = list(pids)
        self._uid = uid
        self._most = 0.0
        self._roots: list[psutil.Process] = []
        for pid in self._pids:
            with suppress(psutil.Error):
                self._roots.append(psutil.Process(pid))

    def describe(self) -> tuple[list[int], int | None]:
        """Return the arguments that make this object again in another process."""
        return self._pids, self._uid

    def cpu_seconds(self) -> float:
        """Return the seconds used so far; never less than the time before."""
        roots = [root.pid for root in self._roots if root.is_running()]
        self._most = max(self._most, sum(_cpu_seconds(pid) for pid in _with_descendants(roots)))
        return self._most

    def queued_seconds(self) -> dict[int, float]:
        """Return for how long each thread that lives has stood in line for a core, by its id."""
        roots = [root.pid for root in self._roots if root.is_running()]
        return {
            thread: seconds
            for pid in _with_descendants(roots)
            for thread, seconds in _queued_seconds(pid)
        }

    def kill(self) -> None:
        """Kill them and every descendant, and wait until they are gone.

        All are stopped before the first is killed: who is stopped starts no more of them.
        """
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            living = self._living()
            if not living:
                return
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for process in living:
                    with suppress(psutil.Error):
                        process.send_signal(number)
            time.sleep(0.001)

    def _living(self) -> list[psutil.Process]:
        found: set[psutil.Process] = set()
        for root in self._roots:
            with suppress(psutil.Error):
                if root.is_running():
                    found |= {root, *root.children(recursive=True)}
        if self._uid is not None:
            found |= {p for p in psutil.process_iter(["uids"]) if self._belongs(p)}
        return [process for process in found if _alive(process)]

    def _belongs(self, process: psutil.Process) -> bool:
        uids = process.info["uids"]
        return uids is not None and uids.real == self._uid


def _alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    return False


def _with_descendants(pids: list[int]) -> set[int]:
    """Return the processes and all below them, read from the kernel's own lists of children."""
    found: set[int] = set()
    front = pids
    while front:
        found.update(front)
        front = [child for pid in front for child in _children(pid) if child not in found]
    return found


def _children(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                yield from map(int, file.read().split())


def _queued_seconds(pid: int) -> Iterator[tuple[int, float]]:
    """Yield how long each thread of a process was ready to run and did not, by the kernel."""
    with suppress(OSError, ValueError, IndexError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                yield int(thread), int(file.read().split()[1]) / 1e9


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, and of its children that it has waited for."""
    with suppress(OSError, ValueError), open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0
