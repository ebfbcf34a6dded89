"""Tiers 1 and 2: bubblewrap with seccomp; as root also a cgroup and a user id of its own.

What the sandbox holds: the interpreter and its libraries, /usr, the runner and the submission,
all read-only; a sized scratch folder; no network, no other process, no environment. The order of
the arguments matters: every mount comes before the root is made read-only.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import cgroup, launcher, seccomp
from grader.sandbox.confinement import (
    Confined,
    Interpreter,
    Launch,
    environment,
    runner_command,
    start_process,
)
from grader.sandbox.ownership import fresh_uid, own_name
from grader.sandbox.process_tree import ProcessTree
from grader.sandbox.spec import Tier

WIRE, SUBMISSION, SCRATCH = "/sandbox/runner", "/sandbox/submission", "/sandbox/scratch"
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_MERGED = ("/bin", "/sbin", "/lib", "/lib64", "/lib32")


class Bubblewrap:
    """Starts sandboxes in namespaces; tier 1 with a cgroup besides, which only root can make.

    Root never starts bubblewrap itself, on either tier: the launcher becomes another user first.
    """

    def __init__(self, tier: Tier, program: str | None = None) -> None:
        self.tier = tier
        found = program or shutil.which("bwrap")
        if found is None:
            raise SandboxError("bubblewrap is not installed; run: apt-get install bubblewrap")
        self.program = found

    def start(self, launch: Launch) -> Confined:
        """Start the runner under bubblewrap; SandboxError if it cannot be started."""
        interpreter = Interpreter.current()
        mounts = list(_mounts(launch, interpreter))
        as_root, in_group = os.geteuid() == 0, self.tier is Tier.FULL
        where = {
            src: f"{launcher.STAGING}/{i}" if as_root else src for i, (src, _) in enumerate(mounts)
        }
        arguments = [*_isolation(), *_filesystem(launch, mounts, where)]
        command = runner_command(
            launch, interpreter, WIRE, count_processes=True, address_space=not in_group
        )
        filter_fd = seccomp.program_fd(deny_memfd=not in_group)
        args_fd = _args_fd([*arguments, "--seccomp", str(filter_fd)])
        bwrap = [self.program, "--args", str(args_fd), *command]
        try:
            if as_root:
                sources = [source for source, _ in mounts]
                group = _make_group(launch) if in_group else None
                return _drop_root(launch, bwrap, sources, (filter_fd, args_fd), group)
            return ProcessTree(start_process(launch, bwrap, (filter_fd, args_fd)))
        finally:
            os.close(filter_fd)
            os.close(args_fd)

    def inside(self, launch: Launch) -> str:
        """Return the submission's folder as student code sees it."""
        return SUBMISSION


def _make_group(launch: Launch) -> cgroup.Cgroup:
    spec = launch.spec
    return cgroup.Cgroup.create(own_name(), memory_mb=spec.memory_mb, processes=spec.processes)


def _drop_root(
    launch: Launch,
    bwrap: list[str],
    sources: list[str],
    fds: tuple[int, ...],
    group: cgroup.Cgroup | None,
) -> Confined:
    """Start bubblewrap through the launcher, as a user that nothing on the host belongs to."""
    plan = {
        "parent": os.getpid(),
        "cgroups": [str(entry) for entry in group.entries] if group else [],
        "sources": sources,
        "uid": fresh_uid(),
        "argv": bwrap,
    }
    stub = [sys.executable, "-I", "-S", launcher.__file__, json.dumps(plan)]
    process = start_process(launch, stub, fds)
    return _Group(process, group) if group else ProcessTree(process)


def _isolation() -> Iterator[str]:
    yield from ("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc")
    yield from ("--unshare-uts", "--unshare-cgroup-try", "--disable-userns")
    yield from ("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL")
    yield from ("--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv")
    for name, value in environment(SCRATCH).items():
        yield from ("--setenv", name, value)


def _mounts(launch: Launch, interpreter: Interpreter) -> Iterator[tuple[str, str]]:
    """Yield (host path, path inside) of every read-only mount."""
    yield "/usr", "/usr"
    for name in (*_MERGED, *_SYSTEM_FILES):
        if os.path.exists(name) and not os.path.islink(name):
            yield name, name
    for prefix in interpreter.prefixes:
        if not prefix.is_relative_to("/usr"):
            yield str(prefix), str(prefix)
    yield str(launch.wire), WIRE
    yield str(launch.submission), SUBMISSION


def _filesystem(
    launch: Launch, mounts: list[tuple[str, str]], where: dict[str, str]
) -> Iterator[str]:
    size = str(launch.spec.scratch_mb * 2**20)
    for name in _MERGED:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
    # An interpreter below /tmp (a checkout there, say) leaves no room for a link of that name.
    in_tmp = any(Path(target).is_relative_to("/tmp") for _, target in mounts)  # noqa: S108
    if in_tmp:
        yield from ("--size", size, "--tmpfs", "/tmp")  # noqa: S108
    for source, target in mounts:
        yield from ("--ro-bind", where[source], target)
    for path in _hidden(launch, [target for _, target in mounts]):
        yield from ("--tmpfs", path, "--remount-ro", path)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--size", size, "--tmpfs", "/dev/shm", "--size", size, "--tmpfs", SCRATCH)  # noqa: S108
    if not in_tmp:
        yield from ("--symlink", SCRATCH, "/tmp")  # noqa: S108
    yield from ("--chdir", SCRATCH)
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")


def _hidden(launch: Launch, visible: list[str]) -> Iterator[str]:
    """Yield the folders inside that must look empty: hidden libraries, and secrets of the host."""
    for site in Interpreter.current().site:
        for name in launch.spec.hide:
            if (Path(site) / name).is_dir():
                yield str((Path(site) / name).resolve())
    for secret in launch.spec.conceal:
        path = secret.resolve()
        if path.is_dir() and any(path.is_relative_to(target) for target in visible):
            yield str(path)


def _args_fd(arguments: list[str]) -> int:
    fd = os.memfd_create("bwrap-args", 0)
    os.write(fd, b"".join(os.fsencode(argument) + b"\0" for argument in arguments))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


class _Group(ProcessTree):
    """A sandbox in a cgroup, which counts and kills exactly."""

    def __init__(self, process: subprocess.Popen[bytes], group: cgroup.Cgroup) -> None:
        super().__init__(process)
        self.group = group

    def cpu_seconds(self) -> float:
        return self.group.cpu_seconds()

    def oom_kills(self) -> int:
        return self.group.oom_kills()

    def kill(self) -> None:
        super().kill()
        self.group.remove()
