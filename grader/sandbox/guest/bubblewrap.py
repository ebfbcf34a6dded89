"""Bubblewrap, started by a small process.

The zygote has libraries in its memory that make a fork of it dearer than all that bubblewrap does.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
from contextlib import suppress
from typing import Any

from . import kernel
from .messages import MessageSocket
from .process import FIRST_FD, LAST_FD, Settings, become, ending_here, receive_or_end


class Launcher:
    """A fork of the zygote from before it imports anything; it ends with the zygote."""

    def __init__(self, settings: Settings) -> None:
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        if os.fork() == 0:
            with ending_here("the launcher"):
                os.closerange(FIRST_FD, theirs.fileno())
                os.closerange(theirs.fileno() + 1, LAST_FD)
                kernel.die_with_parent()
                if os.getppid() == parent:
                    _serve(MessageSocket(theirs), settings)
        theirs.close()
        self._messages = MessageSocket(ours)

    def start(self, message: dict[str, Any]) -> tuple[int, int]:
        """Have a sandbox built; return its monitor's pid and a descriptor of its first process."""
        self._messages.send(message)
        answer, fds = receive_or_end(self._messages)
        if "monitor" not in answer:
            raise OSError(answer["failed"])
        return answer["monitor"], fds[0]


def _serve(messages: MessageSocket, settings: Settings) -> None:
    while True:
        message, _ = receive_or_end(messages)
        try:
            monitor, init = _start(settings, message)
        except OSError as error:
            messages.send({"failed": str(error)})
        else:
            messages.send({"monitor": monitor}, init)
            os.close(init)


def _start(settings: Settings, message: dict[str, Any]) -> tuple[int, int]:
    """Have bubblewrap build a sandbox around a process that sleeps."""
    output_r, output_w = os.pipe()
    info_r, info_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        with ending_here("bubblewrap"):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            kernel.die_with_parent()
            become(settings, message)
            os.setsid()
            for fd in (1, 2):
                os.dup2(output_w, fd)
            kernel.die_with_parent()  # cleared by the change of user
            filters = _memory_file(base64.b64decode(settings["filter"]))
            args = _memory_file(_arguments(settings, message))
            for fd in (args, filters, info_w):
                os.set_inheritable(fd, True)
            options = ["--info-fd", str(info_w), "--seccomp", str(filters), "--args", str(args)]
            os.execve(settings["bwrap"], ["bwrap", *options, *settings["holder"]], {})  # noqa: S606
    os.close(output_w)
    os.close(info_w)
    try:
        output = os.read(output_r, 4000)
        if output != b"\n":
            raise OSError(f"bubblewrap: {output.decode(errors='replace').strip() or 'ended'}")
        return pid, os.pidfd_open(json.loads(os.read(info_r, 4000))["child-pid"])
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(output_r)
        os.close(info_r)


def _arguments(settings: Settings, message: dict[str, Any]) -> bytes:
    paths = {"{submission}": message["submission"]}
    arguments = [paths.get(argument, argument) for argument in settings["arguments"]]
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)


def _memory_file(content: bytes) -> int:
    fd = os.memfd_create("bubblewrap", 0)
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
