"""Orders to the keeper and the template, whose answers are claims that nobody has to believe."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable
from typing import Any

from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.host import clock
from grader.sandbox.host.failures import StudentCrashed

_MAX_LINE = 1_000_000
_TICK_SECONDS = 0.05


class Control:
    """One control socket; what comes back is a claim of the sandbox and is checked by its user."""

    def __init__(self, connection: socket.socket) -> None:
        self._messages = MessageSocket(connection, max_descriptors=0)

    def send(self, message: dict[str, Any], fd: int | None = None) -> None:
        """Send a message; StudentCrashed if the other side is gone."""
        try:
            self._messages.send(message, *(() if fd is None else (fd,)))
        except OSError as error:
            raise StudentCrashed(f"the sandbox's process is gone ({error})") from error

    def receive(self, key: str, seconds: float, check: Callable[[], None] = lambda: None) -> Any:
        """Return the value under `key` of the next message; StudentCrashed if none comes."""
        deadline = clock.seconds() + seconds
        while (line := self._messages.line()) is None:
            check()
            ready, _, _ = select.select([self._messages], [], [], _TICK_SECONDS)
            if ready and not self._read():
                raise StudentCrashed("the sandbox's process ended")
            if clock.seconds() > deadline or self._messages.unread > _MAX_LINE:
                raise StudentCrashed("the sandbox's process does not answer")
        try:
            return json.loads(line)[key]
        except (ValueError, RecursionError, KeyError, TypeError):
            raise StudentCrashed("the sandbox's process broke the protocol") from None

    def _read(self) -> bool:
        try:
            return self._messages.read()
        except OSError:
            return False

    def close(self) -> None:
        """Close the socket."""
        self._messages.close()
