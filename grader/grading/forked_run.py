"""A run as the grading server sees it: a fork of its own, to be supplied and seen off."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from typing import IO

from grader.errors import SandboxError
from grader.sandbox import Cell
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.pool import Nursery

_MAX_FAULT = 8_000


@dataclass(eq=False)
class ForkedRun:
    """The server's hold on one trusted process and on the sandboxes that it was given."""

    pid: int
    requests: MessageSocket  # on which it asks for sandboxes
    caller: MessageSocket  # ours to use only if the run dies
    log: IO[bytes]  # what it prints; nobody reads it unless it dies
    cells: list[tuple[Nursery, Cell]] = field(default_factory=list)
    ended: bool = False

    def hand_over(self, nursery: Nursery, cell: Cell | SandboxError) -> None:
        """Give the run a sandbox, or the reason why there is none."""
        if isinstance(cell, SandboxError):
            self.refuse(cell)
            return
        if self.ended:
            nursery.discard(cell)
            return
        self.cells.append((nursery, cell))
        known, fds = cell.describe()
        with suppress(OSError):
            self.requests.send(known, *fds)
        cell.release()

    def refuse(self, error: SandboxError) -> None:
        """Say why there is no sandbox."""
        with suppress(OSError):
            self.requests.send({"fault": str(error)})

    def uses(self, nursery: Nursery) -> bool:
        """Whether a sandbox of this nursery is in the run's hands."""
        return any(source is nursery for source, _ in self.cells)

    def see_off(self) -> None:
        """Remove what an ended run leaves, and answer for it if it could not."""
        self.ended = True
        _, status = os.waitpid(self.pid, 0)
        for nursery, cell in self.cells:
            nursery.discard(cell)
        if status != 0:
            code = os.waitstatus_to_exitcode(status)
            self._answer(f"the trusted process ended with {code}:\n{self._last_words()}")
        self.release()
        self.log.close()

    def abort(self, fault: str) -> None:
        """End a run that can come to nothing, and say why."""
        self._answer(fault)
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.see_off()

    def _answer(self, fault: str) -> None:
        with suppress(OSError):
            self.caller.send({"fault": fault})

    def _last_words(self) -> str:
        self.log.seek(0)
        return self.log.read().decode("utf-8", "replace")[-_MAX_FAULT:]

    def release(self) -> None:
        """Close the sockets; all that a fork of the server has to do about another run."""
        self.requests.close()
        self.caller.close()
