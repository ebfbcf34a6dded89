"""What the zygote's processes share: their children and their ends."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from . import kernel
from .messages import MessageSocket

FIRST_FD, LAST_FD = 3, 1024  # what a fork closes lies between

Settings = dict[str, Any]


def receive_or_end(messages: MessageSocket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its descriptors; end when the other side is gone."""
    received = messages.receive()
    if received is None:
        os._exit(0)
    return received


def reap(*_: object) -> None:
    """Wait for every child that has ended; a signal handler."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class ending_here:
    """A fork never returns into the zygote's own work: it ends, saying why if it failed."""

    def __init__(self, what: str, fd: int = 1) -> None:
        self._what, self._fd = what, fd

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with suppress(OSError):
            os.write(self._fd, f"{self._what}: {error}".encode())
        os._exit(1)


def become(settings: Settings, message: dict[str, Any]) -> None:
    """Join the control groups, then stop being root."""
    for entry in message["cgroups"]:
        with open(entry, "w", encoding="ascii") as file:
            file.write("0")  # this process
    if settings["root"]:
        kernel.become(message["uid"])
