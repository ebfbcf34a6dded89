"""The trusted end of a socket to one test's student process: frames under an absolute deadline."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from typing import Any

from grader.sandbox.guest import codec
from grader.sandbox.host.failures import StudentCrashed, StudentRaised, StudentReturnedTooMuch

_TICK_SECONDS = 0.05
# What answers of one process may add up to: working on a byte costs us more than sending it.
MOST_BYTES = 512_000_000
# A byte of a header counts as so many: to take nested lists apart costs 250 ns a byte, an array 2.
HEADER_WEIGHT = 64


class Channel:
    """Asks one question at a time and waits for its answer, however slowly it drips in.

    `check` is called while waiting; it raises when the test's budget is spent. A timeout a read
    would be no deadline: a process that sends one byte a second never lets it expire.
    """

    def __init__(
        self,
        connection: socket.socket,
        check: Callable[[], None],
        crashed: Callable[[str], Exception] = StudentCrashed,
    ) -> None:
        self._connection = connection
        self._check = check
        self._crashed = crashed  # tells who or what ended the process
        self._broken = False
        self._checked = time.monotonic()
        self._received = 0  # bytes, those of headers by their weight

    def ask(self, operation: str, *args: Any, most: int = codec.USUAL_BYTES) -> Any:
        """Perform an operation in student code and return its value.

        The value's arrays come to at most `most` bytes: what is larger stays in the sandbox, behind
        a handle, and is never sent. Raises StudentRaised if the code raised, StudentCrashed if the
        process is gone or sent what no honest runner sends, StudentReturnedTooMuch if its answers
        add up to more than a test may have, and whatever `check` raises.
        """
        if self._broken:
            raise self._crashed("the student process of this test is gone")
        try:
            self._send({"op": operation, "args": args, "most": most})
            answer = self._receive(codec.answer_of(most))
        except BaseException:
            self._broken = True
            raise
        return self._value(answer)

    def _send(self, request: dict[str, Any]) -> None:
        chunks = codec.encode(request, limits=codec.REQUEST)
        try:
            for chunk in chunks:
                view = memoryview(chunk)
                while view:
                    self._wait(writing=True)
                    view = view[self._connection.send(view, socket.MSG_DONTWAIT) :]
        except OSError as error:
            raise self._crashed(f"the student process is gone ({error})") from error

    def _receive(self, bounds: codec.FrameBounds) -> Any:
        try:
            header, buffers = codec.frame_lengths(bytes(self._read(codec.PREFIX.size)), bounds)
            self._count(HEADER_WEIGHT * header + buffers)
            tree, specs = codec.read_header(bytes(self._read(header)), buffers, bounds)
            return codec.decode(tree, specs, self._read(buffers), limits=bounds)
        except codec.CodecError as error:
            raise self._crashed(f"the student process broke the protocol: {error}") from error
        except OSError as error:
            raise self._crashed(f"the student process is gone ({error})") from error

    def _count(self, weight: int) -> None:
        """Refuse an answer, before it is read, with which all answers weigh too much."""
        self._received += weight
        if self._received > MOST_BYTES:
            raise StudentReturnedTooMuch(f"answers of more than {MOST_BYTES:,} bytes in one test")

    def _read(self, length: int) -> bytearray:
        data = bytearray()
        while len(data) < length:
            self._wait(writing=False)
            chunk = self._connection.recv(min(length - len(data), 2**20), socket.MSG_DONTWAIT)
            if not chunk:
                raise self._crashed("the student process ended before it answered")
            data += chunk
        return data

    def _wait(self, *, writing: bool) -> None:
        """Return when the socket is ready; look at the budget at least once a tick meanwhile."""
        own = [self._connection]
        while True:
            readable, writable, _ = select.select(
                [] if writing else own, own if writing else [], [], _TICK_SECONDS
            )
            if time.monotonic() - self._checked > _TICK_SECONDS:
                self._check()
                self._checked = time.monotonic()
            if readable or writable:
                return

    def _value(self, answer: Any) -> Any:
        if type(answer) is dict and answer.keys() == {"ok"}:
            return answer["ok"]
        if type(answer) is dict and answer.keys() == {"raised"}:
            raise _raised(answer["raised"])
        raise self._crashed("the student process broke the protocol: no answer in its frame")


def _raised(description: Any) -> StudentRaised:
    if type(description) is not dict:
        description = {}
    types = description.get("types")
    names = [name for name in types if type(name) is str] if type(types) is list else []
    texts = [description.get(key) for key in ("message", "traceback")]
    message, traceback = (text[:4000] if type(text) is str else "" for text in texts)
    number = description.get("errno")
    return StudentRaised(
        [name[:100] for name in names[:20]],
        message,
        traceback,
        number if type(number) is int else 0,
    )
