"""The zygote: a process that has imported the libraries once and forks every sandbox off itself.

It runs outside the sandbox, with nothing in its memory but the interpreter and the libraries, and
never touches a byte of a student's. Each fork confines itself before it obeys anybody:

    namespaces   bubblewrap builds the sandbox around a sleeping process; the fork enters its
                 namespaces, so that what student code sees is what bubblewrap made, and then
                 gives up every capability and loads the system-call filter
    landlock     the fork's template gives up all files but those named, and loads the filter
    plain        nothing but limits: for development

Each message asks for a sandbox, with the keeper's socket and the pipe for output alongside; the
answer names the processes whose end is the sandbox's end.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from . import kernel, landlock
from .bubblewrap import Launcher
from .leftovers import Leftovers
from .memory import prepare_for_forks
from .messages import MessageSocket
from .process import FIRST_FD, LAST_FD, Settings, become, ending_here, reap, receive_or_end

_SCRATCH_MODE = 0o077

Keeper = Callable[[socket.socket, Callable[[], None], Leftovers], None]


class Zygote:
    """The process itself, made before it imports anything: what it forks then is small."""

    def __init__(self) -> None:
        """Read the settings that ``argv[2]`` names, and prepare to build sandboxes."""
        self._control = MessageSocket(socket.socket(fileno=int(sys.argv[1])))
        with open(sys.argv[2], encoding="utf-8") as file:
            self._settings: Settings = json.load(file)
        kernel.adopt_orphans()  # a keeper's own parent ends at once, and somebody must reap it
        signal.signal(signal.SIGCHLD, reap)
        _open_the_way(self._settings["reach"] if self._settings["root"] else [])
        namespaces = self._settings["kind"] == "namespaces"
        self._launcher = Launcher(self._settings) if namespaces else None

    def main(self, warm_up: Callable[[Settings], None], keeper: Keeper) -> None:
        """Import what sandboxes need, then fork one for each message."""
        warm_up(self._settings)
        prepare_for_forks()
        self._control.send({"ready": os.getpid()})
        while True:
            message, fds = receive_or_end(self._control)
            try:
                answer: dict[str, Any] = {"pids": self._spawn(message, fds, keeper)}
            except OSError as error:
                answer = {"failed": str(error)}
            for fd in fds:
                os.close(fd)
            self._control.send(answer)

    def _spawn(self, message: dict[str, Any], fds: list[int], keeper: Keeper) -> list[int]:
        """Fork one sandbox; return the processes that all others of it descend from."""
        if self._launcher is not None:
            monitor, init = self._launcher.start(message)
            try:
                return [monitor, _fork_into(init, self._settings, message, fds, keeper)]
            except BaseException:
                os.kill(monitor, signal.SIGKILL)
                raise
            finally:
                os.close(init)
        pid = os.fork()
        if pid == 0:
            become(self._settings, message)
            _keep(self._settings, message, fds, keeper)
        return [pid]


def _open_the_way(paths: list[str]) -> None:
    """Let other users reach `paths`, in mounts of our own: an interpreter may lie under /root."""
    blocked = {path: top for path in paths if (top := _first_closed(path))}
    if not blocked:
        return
    kernel.private_mounts()
    opened = {path: os.open(path, os.O_PATH) for path in blocked}
    for top in dict.fromkeys(blocked.values()):
        kernel.mount_tmpfs(top)
    for path, fd in opened.items():
        os.makedirs(path, mode=0o755, exist_ok=True)
        kernel.bind(fd, path)
        os.close(fd)


def _first_closed(path: str) -> str | None:
    """Return the topmost folder above `path` that other users may not pass through."""
    parts = os.path.realpath(path).split("/")
    for count in range(2, len(parts)):
        folder = "/".join(parts[:count])
        if not os.stat(folder).st_mode & 0o001:
            return folder
    return None


def _fork_into(
    init: int, settings: Settings, message: dict[str, Any], fds: list[int], keeper: Keeper
) -> int:
    """Fork the keeper into the namespaces of the process `init`; return its pid.

    Only a child of who enters is in the process namespace, so that takes two forks; root can have
    the first one born in there.
    """
    report_r, report_w = os.pipe()
    born_inside = settings["born_inside"]
    pid = _fork_born_in(init) if born_inside else os.fork()
    if pid == 0:
        with ending_here("entering the sandbox", report_w):
            become(settings, message)
            kernel.enter_mounts_as_owner(init)
            for path, size in settings["tmpfs"].items():
                kernel.limit_tmpfs(path, size, settings["files"])
            kernel.enter_namespaces(init)
            pid = 0 if born_inside else os.fork()
            if pid == 0:
                with ending_here("confining the sandbox", report_w):
                    kernel.forgo_privileges()
                    kernel.load_filter(base64.b64decode(settings["filter"]))
                    os.write(report_w, b".")
                    os.close(report_w)
                    _keep(settings, message, fds, keeper)
            os.write(report_w, str(pid).encode())
            os._exit(0)
    if born_inside:
        os.write(report_w, str(pid).encode())
    os.close(report_w)
    try:
        with os.fdopen(report_r, "rb", closefd=False) as pipe:
            # A pid from one fork, a dot from the other; or what either complains of.
            reported = pipe.read().decode(errors="replace")
        if not reported.replace(".", "", 1).isdigit():
            raise OSError(reported)
        return int(reported.replace(".", "", 1))
    finally:
        os.close(report_r)


def _fork_born_in(init: int) -> int:
    """Fork a child in the process namespace of `init`; all else it has yet to enter."""
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    kernel.bear_children_in(init)
    pid = -1
    try:
        pid = os.fork()
        return pid
    finally:
        if pid:
            kernel.bear_children_in(home)
        os.close(home)


def _keep(settings: Settings, message: dict[str, Any], fds: list[int], keeper: Keeper) -> None:
    """Become the keeper of a sandbox; never returns."""
    try:
        control, output = fds
        _tidy_up_descriptors(control, output)
        os.setsid()
        os.environ |= dict.fromkeys(("HOME", "TMPDIR"), message["scratch"])
        os.chdir(message["scratch"])
        os.umask(_SCRATCH_MODE)
        _limit(settings)
        kernel.hide_memory()
        kernel.adopt_orphans()
        leftovers = Leftovers([message["scratch"], *settings["shared"]])
        confine = partial(_confine_student, settings, message)
        keeper(socket.socket(fileno=FIRST_FD), confine, leftovers)
    finally:
        os._exit(1)


def _tidy_up_descriptors(control: int, output: int) -> None:
    """Keep the control socket as descriptor 3 and the output as 1 and 2; close all the rest."""
    null = os.open("/dev/null", os.O_RDWR)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    if control != FIRST_FD:
        os.dup2(control, FIRST_FD, inheritable=False)
    os.closerange(FIRST_FD + 1, LAST_FD)


def _limit(settings: Settings) -> None:
    """Set the limits that belong inside the user namespace, where their counts start at zero."""
    for name, value in settings["rlimits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if settings["address_space_mb"]:
        with open("/proc/self/statm", encoding="ascii") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        limit = mapped + settings["address_space_mb"] * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _confine_student(settings: Settings, message: dict[str, Any]) -> None:
    """Give up what is left to give up before the first line of student code."""
    if settings["kind"] == "namespaces":
        # The keeper and bubblewrap's own processes share the sandbox: their memory is not for it.
        landlock.isolate()
        return
    if settings["kind"] != "landlock":
        return
    kernel.forgo_privileges()
    landlock.restrict(
        [*settings["readable"], message["submission"]], [*settings["writable"], message["scratch"]]
    )
    kernel.load_filter(base64.b64decode(settings["filter"]))
