"""The zygote: a process that has imported the libraries once and forks every sandbox off itself.

It runs outside the sandbox, with nothing in its memory but the interpreter and the libraries, and
never touches a byte of a student's. Each fork confines itself before it obeys anybody:

    namespaces   bubblewrap builds the sandbox around a sleeping process; the fork enters its
                 namespaces, so that what student code sees is what bubblewrap made, and then
                 gives up every capability and loads the system-call filter
    landlock     the fork's template gives up all files but those named, and loads the filter
    plain        nothing but limits: for development

Messages are JSON lines on one socket, one at a time: ``spawn`` with the keeper's socket and the
pipe for output alongside; the answer names a process whose end is the sandbox's end.
"""

from __future__ import annotations

import base64
import gc
import json
import os
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from . import kernel, landlock
from .leftovers import Leftovers

_MAX_MESSAGE = 2**20
_FIRST_FD, _LAST_FD = 3, 1024
_SCRATCH_MODE = 0o077

Settings = dict[str, Any]
Keeper = Callable[[socket.socket, Callable[[], None], Leftovers], None]


def main(warm_up: Callable[[Settings], None], keeper: Keeper) -> None:
    """Prepare as the settings in ``argv[2]`` say, then fork a sandbox for each message."""
    control = socket.socket(fileno=int(sys.argv[1]))
    with open(sys.argv[2], encoding="utf-8") as file:
        settings = json.load(file)
    kernel.adopt_orphans()  # a keeper's own parent ends at once, and somebody must reap it
    signal.signal(signal.SIGCHLD, _reap)
    _open_the_way(settings["reach"] if settings["root"] else [])
    warm_up(settings)
    gc.collect()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page
    kernel.gather_memory()
    _send(control, {"ready": os.getpid()})
    while True:
        message, fds = _receive(control)
        try:
            answer: dict[str, Any] = {"pids": _spawn(settings, message, fds, keeper)}
        except OSError as error:
            answer = {"failed": str(error)}
        for fd in fds:
            os.close(fd)
        _send(control, answer)


def _receive(control: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return the next message and its descriptors; end when the other side is gone."""
    data, fds = b"", list[int]()
    while not data.endswith(b"\n"):
        chunk, new, _, _ = socket.recv_fds(control, _MAX_MESSAGE, 4)
        if not chunk:
            os._exit(0)
        data, fds = data + chunk, [*fds, *new]
    for fd in fds:
        os.set_inheritable(fd, False)
    return json.loads(data), fds


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(json.dumps(message).encode() + b"\n")


def _reap(*_: object) -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


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


def _spawn(
    settings: Settings, message: dict[str, Any], fds: list[int], keeper: Keeper
) -> list[int]:
    """Fork one sandbox; return the processes that all others of it descend from."""
    if settings["kind"] == "namespaces":
        monitor, init = _start_bubblewrap(settings, message)
        try:
            return [monitor, _fork_into(init, settings, message, fds, keeper)]
        except BaseException:
            os.kill(monitor, signal.SIGKILL)
            raise
        finally:
            os.close(init)
    pid = os.fork()
    if pid == 0:
        _become(settings, message)
        _keep(settings, message, fds, keeper)
    return [pid]


def _start_bubblewrap(settings: Settings, message: dict[str, Any]) -> tuple[int, int]:
    """Have bubblewrap build a sandbox; return its monitor and a descriptor of its first process."""
    said_r, said_w = os.pipe()
    info_r, info_w = os.pipe()
    pid = os.fork()
    if pid == 0:
        with _ending_here("bubblewrap"):
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            kernel.die_with_parent()
            _become(settings, message)
            os.setsid()
            for fd in (1, 2):
                os.dup2(said_w, fd)
            kernel.die_with_parent()  # cleared by the change of user
            filters = _memory_file(base64.b64decode(settings["filter"]))
            args = _memory_file(_arguments(settings, message))
            for fd in (args, filters, info_w):
                os.set_inheritable(fd, True)
            options = ["--info-fd", str(info_w), "--seccomp", str(filters), "--args", str(args)]
            os.execve(settings["bwrap"], ["bwrap", *options, *settings["holder"]], {})  # noqa: S606
    os.close(said_w)
    os.close(info_w)
    try:
        said = os.read(said_r, 4000)
        if said != b"\n":
            raise OSError(f"bubblewrap: {said.decode(errors='replace').strip() or 'ended'}")
        return pid, os.pidfd_open(json.loads(os.read(info_r, 4000))["child-pid"])
    except BaseException:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.close(said_r)
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


def _fork_into(
    init: int, settings: Settings, message: dict[str, Any], fds: list[int], keeper: Keeper
) -> int:
    """Fork the keeper into the namespaces of the process `init`; return its pid.

    Only a child of who enters is in the process namespace, so that takes two forks; root can have
    the first one born in there.
    """
    said_r, said_w = os.pipe()
    born_inside = settings["born_inside"]
    pid = _fork_born_in(init) if born_inside else os.fork()
    if pid == 0:
        with _ending_here("entering the sandbox", said_w):
            _become(settings, message)
            kernel.enter_mounts_as_owner(init)
            for path, size in settings["tmpfs"].items():
                kernel.limit_tmpfs(path, size, settings["files"])
            kernel.enter_namespaces(init)
            pid = 0 if born_inside else os.fork()
            if pid == 0:
                with _ending_here("confining the sandbox", said_w):
                    kernel.forgo_privileges()
                    kernel.load_filter(base64.b64decode(settings["filter"]))
                    os.write(said_w, b".")
                    os.close(said_w)
                    _keep(settings, message, fds, keeper)
            os.write(said_w, str(pid).encode())
            os._exit(0)
    if born_inside:
        os.write(said_w, str(pid).encode())
    os.close(said_w)
    try:
        with os.fdopen(said_r, "rb", closefd=False) as pipe:
            said = pipe.read().decode(errors="replace")  # a pid from one fork, a dot of the other
        if not said.replace(".", "", 1).isdigit():
            raise OSError(said)
        return int(said.replace(".", "", 1))
    finally:
        os.close(said_r)


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


class _ending_here:
    """A fork never returns into the zygote's own work: it ends, saying why if it failed."""

    def __init__(self, what: str, fd: int = 1) -> None:
        self._what, self._fd = what, fd

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        with suppress(OSError):
            os.write(self._fd, f"{self._what}: {error}".encode())
        os._exit(1)


def _become(settings: Settings, message: dict[str, Any]) -> None:
    """Join the control groups, then stop being root."""
    for entry in message["cgroups"]:
        with open(entry, "w", encoding="ascii") as file:
            file.write("0")  # this process
    if settings["root"]:
        kernel.become(message["uid"])


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
        keeper(socket.socket(fileno=_FIRST_FD), confine, leftovers)
    finally:
        os._exit(1)


def _tidy_up_descriptors(control: int, output: int) -> None:
    """Keep the control socket as descriptor 3 and the output as 1 and 2; close all the rest."""
    null = os.open("/dev/null", os.O_RDWR)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    if control != _FIRST_FD:
        os.dup2(control, _FIRST_FD, inheritable=False)
    os.closerange(_FIRST_FD + 1, _LAST_FD)


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
