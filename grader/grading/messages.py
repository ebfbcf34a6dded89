"""JSON lines between processes of ours, over a stream socket, with descriptors alongside."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

_CHUNK = 2**20
_MAX_FDS = 4


class Messages:
    """One end of a socket that carries a message a line."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self._buffer = b""
        self._fds: list[int] = []

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.connection.fileno()

    def send(self, message: dict[str, Any], fds: tuple[int, ...] = ()) -> None:
        """Send a message whole; OSError if the other side is gone."""
        data = memoryview(json.dumps(message).encode() + b"\n")
        if fds:
            data = data[socket.send_fds(self.connection, [data], list(fds)) :]
        self.connection.sendall(data)

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Wait for a message and its descriptors; None if the other side is gone.

        Descriptors belong to the message they arrived with only if one side waits for the other's
        answer before it sends again: that is how all of these sockets are used.
        """
        while b"\n" not in self._buffer:
            try:
                data, fds, _, _ = socket.recv_fds(self.connection, _CHUNK, _MAX_FDS)
            except ConnectionError:
                return None
            for fd in fds:
                os.set_inheritable(fd, False)
            self._fds += fds
            if not data:
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        fds, self._fds = self._fds, []
        message: dict[str, Any] = json.loads(line)
        return message, fds

    def close(self) -> None:
        """Close the socket, and descriptors nobody asked for."""
        self.connection.close()
        for fd in self._fds:
            os.close(fd)
