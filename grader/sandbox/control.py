"""Single-line JSON messages to the keeper and the template, with one descriptor alongside."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Callable
from typing import Any

from grader.sandbox.host import clock
from grader.sandbox.host.failures import StudentCrashed

_MAX_LINE = 1_000_000
_TICK_SECONDS = 0.05


class Control:
    """One control socket; what comes back is a claim of the sandbox and is checked by its user."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._buffer = b""

    def send(self, message: dict[str, Any], fd: int | None = None) -> None:
        """Send a message; StudentCrashed if the other side is gone."""
        data = json.dumps(message).encode() + b"\n"
        try:
            if fd is None:
                self._connection.sendall(data)
            else:
                socket.send_fds(self._connection, [data], [fd])
        except OSError as error:
            raise StudentCrashed(f"the sandbox's process is gone ({error})") from error

    def receive(self, key: str, seconds: float, check: Callable[[], None] = lambda: None) -> Any:
        """Return the value under `key` of the next message; StudentCrashed if none comes."""
        deadline = clock.seconds() + seconds
        while b"\n" not in self._buffer:
            check()
            ready, _, _ = select.select([self._connection], [], [], _TICK_SECONDS)
            if ready and not self._read():
                raise StudentCrashed("the sandbox's process ended")
            if clock.seconds() > deadline or len(self._buffer) > _MAX_LINE:
                raise StudentCrashed("the sandbox's process does not answer")
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            message = json.loads(line)
            return message[key]
        except (ValueError, RecursionError, KeyError, TypeError):
            raise StudentCrashed("the sandbox's process broke the protocol") from None

    def _read(self) -> bool:
        try:
            data = self._connection.recv(65_536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)

    def close(self) -> None:
        """Close the socket."""
        self._connection.close()
