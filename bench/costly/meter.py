"""What the trusted side uses while an upload is taken and graded: all processes but the sandboxes'.

These are this process, the reader of uploads and its children, the grading servers, and the trusted
processes that they fork. A server's zygotes, and everything below them, belong to the sandboxes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_SECONDS = 0.05
_PATIENCE = 30.0  # seconds
_SERVER = b"grader.grading.server"


@dataclass
class Cost:
    """What one stretch of work cost."""

    cpu: float = 0.0  # seconds
    peak_mb: float = 0.0  # the most memory beyond what there was, in MiB
    wall: float = 0.0  # seconds


class Meter:
    """Looks at the trusted side again and again, in a thread whose own work is not counted."""

    def __init__(self) -> None:
        self._peak = 0
        self._own = 0.0
        self._stopped = threading.Event()

    @contextmanager
    def over(self) -> Iterator[Cost]:
        """Measure the block; the cost is there when it has ended."""
        cost = Cost()
        pids = set(_trusted())
        before, base, start = _cpu_seconds(), _memory(), time.monotonic()
        self._peak, self._own = base, 0.0
        self._stopped.clear()
        watch = threading.Thread(target=self._watch, daemon=True)
        watch.start()
        try:
            yield cost
        finally:
            cost.wall = time.monotonic() - start
            _settle(pids)
            self._stopped.set()
            watch.join()
            cost.cpu = _cpu_seconds() - before - self._own
            cost.peak_mb = max(0, self._peak - base) / 2**20

    def _watch(self) -> None:
        while not self._stopped.wait(_SECONDS):
            self._peak = max(self._peak, _memory())
            self._own = time.thread_time()
        self._own = time.thread_time()


def _settle(pids: set[int]) -> None:
    """Wait until no other process is left: only who was waited for has been counted."""
    deadline = time.monotonic() + _PATIENCE
    while set(_trusted()) - pids and time.monotonic() < deadline:
        time.sleep(_SECONDS)


def _trusted() -> Iterator[int]:
    """Yield the pids of the trusted side, parents before children."""
    yield (own := os.getpid())
    for child in _children(own):
        yield from _and_forks(child)


def _and_forks(pid: int) -> Iterator[int]:
    """Yield a process and those below it that are forks of it: they have its command line.

    One that has ended and was not waited for yet has none.
    """
    yield pid
    line = _read(pid, "cmdline")
    for child in _children(pid):
        if _read(child, "cmdline") in (line, b""):
            yield from _and_forks(child)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _cpu_seconds() -> float:
    """Return the CPU seconds of the trusted side, its ended children with them."""
    own = os.getpid()
    total = 0
    for pid in _trusted():
        fields = _read(pid, "stat").rpartition(b")")[2].split()
        # Of this process's own children none has ended but those that `_trusted` would name.
        total += sum(map(int, fields[11:13] if pid == own else fields[11:15]))
    return total / _TICKS


def _memory() -> int:
    """Return the bytes of memory of the trusted side; what a fork shares counts in each."""
    total = 0
    for pid in _trusted():
        for line in _read(pid, "status").splitlines():
            if line.startswith((b"RssAnon:", b"RssShmem:")):
                total += int(line.split()[1]) * 1024
    return total
