"""The caller's side: one bare interpreter kept warm, which forks a child for each script."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from grader.intake.limited import child

_MEGABYTE = 1 << 20
_WALL_PER_CPU_SECOND = 6
_GRACE_SECONDS = 5
_PIECE = 1 << 16
# Isolated, without site: no path, hook or variable of anyone's decides what the child runs.
_COMMAND = [
    *(sys.executable, "-I", "-S", "-B", "-W", "ignore", "-X", "utf8"),
    str(Path(child.__file__)),
]


def run_limited(
    script: str, data: bytes, *, cpu_seconds: int = 10, memory_mb: int = 1024
) -> bytes | None:
    """Feed `data` to `script` (standard library only) and return what it printed.

    The script must read all of its standard input before it prints much. Returns None if it did
    not end well: it raised, crashed or went over its limits. It sees an empty environment, and
    its limits are set before it reads the data.

    Raises OSError if twice no child began: the loss is then ours, and says nothing of the data.
    """
    wall_seconds = _WALL_PER_CPU_SECOND * cpu_seconds
    head = {
        "script": script,
        "cpu_seconds": cpu_seconds,
        "memory_bytes": memory_mb * _MEGABYTE,
        "wall_seconds": wall_seconds,
    }
    request = json.dumps(head).encode() + b"\n" + data
    ask = _FORKS.ask if sys.platform == "linux" else _ask_once
    for _ in range(2):
        answer = ask(request, wall_seconds + _GRACE_SECONDS)
        if answer.startswith(child.BEGUN):
            printed = answer.removeprefix(child.BEGUN)
            return printed.removesuffix(child.END) if printed.endswith(child.END) else None
    raise OSError("no child process began to read the data: the machine is short of something")


def _ask_once(request: bytes, seconds: float) -> bytes:
    """Ask an interpreter started for this request alone."""
    try:
        done = subprocess.run(  # noqa: S603 - our own program, the data goes to stdin
            _COMMAND, input=request, capture_output=True, env={}, cwd="/", timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""
    return done.stdout


class _Forks:
    """The warm interpreter: a fork of it costs a tenth of what starting one does.

    Any thread may ask, and so may forks of this process: each message is whole, and brings the
    socket for its own answer. The interpreter ends when nobody is left who could ask.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, request: bytes, seconds: float) -> bytes:
        """Return the answer of a new child, as far as it came."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                self._hand_over(theirs.fileno())
            ours.settimeout(seconds)
            answer = bytearray()
            try:
                ours.sendall(request)
                ours.shutdown(socket.SHUT_WR)
                while piece := ours.recv(_PIECE):
                    answer += piece
            except OSError:  # the child is gone, or does not end
                pass
            return bytes(answer)

    def _hand_over(self, fd: int) -> None:
        with self._guard:
            if self._control is not None:
                try:
                    socket.send_fds(self._control, [b"."], [fd])
                    return
                except OSError:  # it was killed
                    self.close()
            socket.send_fds(self._start(), [b"."], [fd])

    def _start(self) -> socket.socket:
        self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*_COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={},
                cwd="/",
                start_new_session=True,
            )
        return self._control

    def unlock(self) -> None:
        """Make the lock new, in a fork: the thread that may have held it is not there."""
        self._guard = threading.Lock()

    def close(self) -> None:
        """End the interpreter, if this process started it."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._control = self._process = None


_FORKS = _Forks()
atexit.register(_FORKS.close)
os.register_at_fork(after_in_child=_FORKS.unlock)
