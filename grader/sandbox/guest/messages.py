"""JSON messages, one a line, over a stream socket, with descriptors alongside.

The one framing of everything that is not a call of student code (`codec`), for host and guest
alike. It takes the other side at its word; who cannot reads with `grader.sandbox.control`.
"""

from __future__ import annotations

import json
import os
import socket
from typing import Any

_CHUNK = 65_536


class MessageSocket:
    """One end of a socket that carries a message a line."""

    def __init__(self, connection: socket.socket, max_descriptors: int = 4) -> None:
        """Take at most `max_descriptors` with what is read at once; the kernel closes the rest."""
        self.connection = connection
        self._max_descriptors = max_descriptors
        self._unread = bytearray()
        self._descriptors: list[int] = []

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.connection.fileno()

    @property
    def unread(self) -> int:
        """How many bytes have arrived that no line was taken of."""
        return len(self._unread)

    def send(self, message: dict[str, Any], *descriptors: int) -> None:
        """Send a message whole; OSError if the other side is gone."""
        data = memoryview(json.dumps(message).encode() + b"\n")
        if descriptors:
            data = data[socket.send_fds(self.connection, [data], list(descriptors)) :]
        if data:
            self.connection.sendall(data)

    def receive(self) -> tuple[dict[str, Any], list[int]] | None:
        """Wait for a message and its descriptors; None if the other side is gone.

        Descriptors belong to the message they arrived with only if one side waits for the other's
        answer before it sends again: that is how all of these sockets are used.
        """
        while (line := self.line()) is None:
            if not self.read():
                return None
        message: dict[str, Any] = json.loads(line)
        descriptors, self._descriptors = self._descriptors, []
        return message, descriptors

    def line(self) -> bytes | None:
        """Take the next line of what has arrived; None if it holds no whole line."""
        end = self._unread.find(b"\n")
        if end < 0:
            return None
        line = bytes(self._unread[:end])
        del self._unread[: end + 1]
        return line

    def read(self) -> bool:
        """Take in what arrives next; False if the other side is gone."""
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self.connection, _CHUNK, self._max_descriptors
            )
        except ConnectionError:
            return False
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
        self._descriptors += descriptors
        self._unread += data
        return bool(data)

    def close(self) -> None:
        """Close the socket, and descriptors nobody asked for."""
        self.connection.close()
        for descriptor in self._descriptors:
            os.close(descriptor)
