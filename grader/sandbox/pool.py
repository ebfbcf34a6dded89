"""Empty sandboxes that are ready before work arrives, and made anew in the background."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import psutil

from grader.errors import SandboxError
from grader.sandbox.cell import Cell
from grader.sandbox.confinement import Confinement
from grader.sandbox.spec import SandboxSpec
from grader.sandbox.zygote import ZygoteProcess

_IDLE_MB = 64  # what an empty sandbox may come to need of its own; most of it is the zygote's
_SHARE_OF_MEMORY = 0.25

Handover = Callable[[Cell | SandboxError], None]


def idle_count(jobs: int) -> int:
    """Return how many empty sandboxes of a kind to keep for so many gradings at a time."""
    affordable = int(psutil.virtual_memory().available * _SHARE_OF_MEMORY / 2**20 / _IDLE_MB)
    return max(1, min(jobs + 1, affordable))


class Nursery:
    """The sandboxes of one kind: a zygote, what it has ready, and who is waiting.

    It has no loop of its own: whoever holds it waits for `fileno` to become readable and then
    calls `collect`.
    """

    def __init__(self, confinement: Confinement, spec: SandboxSpec, idle: int) -> None:
        """Start the zygote and ask for the first sandbox."""
        self._zygote = ZygoteProcess(confinement, spec)
        self._idle = idle
        self._ready: deque[Cell] = deque()
        self._waiting: deque[Handover] = deque()
        self._refill()

    def fileno(self) -> int:
        """Return the descriptor that is readable when a sandbox is ready."""
        return self._zygote.fileno()

    def take(self, handover: Handover) -> None:
        """Call `handover` with a sandbox, at once if one is ready."""
        if self._ready:
            handover(self._ready.popleft())
        else:
            self._waiting.append(handover)
        self._refill()

    def collect(self) -> None:
        """Take in the sandbox that has become ready; SandboxError if the zygote is of no use."""
        try:
            cell = self._zygote.collect()
        except SandboxError as error:
            while self._waiting:
                self._waiting.popleft()(error)
            raise
        if self._waiting:
            self._waiting.popleft()(cell)
        else:
            self._ready.append(cell)
        self._refill()

    def _refill(self) -> None:
        short = len(self._ready) < self._idle + len(self._waiting)
        if short and not self._zygote.busy:
            self._zygote.request()

    def discard(self, cell: Cell) -> None:
        """Remove a sandbox that has served."""
        self._zygote.discard(cell)

    def release(self) -> None:
        """Close this process's ends of everything: for a fork that will use none of it."""
        self._zygote.release()

    def close(self) -> None:
        """Remove every sandbox and end the zygote."""
        self._zygote.close()
