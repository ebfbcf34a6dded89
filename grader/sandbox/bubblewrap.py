"""Tiers 1 and 2: namespaces made by bubblewrap; as root also a cgroup and a user id of its own.

What the sandbox holds: the interpreter and its libraries, /usr and the submission, all read-only;
a sized scratch folder; no network, no other process, no environment. The order of the arguments
matters: every mount comes before the root is made read-only.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox import seccomp
from grader.sandbox.confinement import (
    Interpreter,
    Settings,
    environment,
    hidden_folders,
    shared_settings,
)
from grader.sandbox.gpu import device_files
from grader.sandbox.spec import SandboxSpec, Tier

SUBMISSION, SCRATCH, SHARED_MEMORY = "/sandbox/submission", "/sandbox/scratch", "/dev/shm"  # noqa: S108
_SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives")
_MERGED = ("/bin", "/sbin", "/lib", "/lib64", "/lib32")
_HOLDER = ["/bin/sh", "-c", "echo; exec sleep 2147483647"]  # says that the sandbox stands


class Bubblewrap:
    """Sandboxes in namespaces; tier 1 with a cgroup besides, which only root can make.

    Root never starts bubblewrap itself, on either tier: the zygote's fork becomes another user
    first. Started by root, even with every capability dropped, student code could open hundreds
    of files under /proc/sys for writing.
    """

    def __init__(self, tier: Tier, program: str | None = None) -> None:
        self.tier = tier
        self.grouped = tier is Tier.FULL
        found = program or shutil.which("bwrap")
        if found is None:
            raise SandboxError("bubblewrap is not installed; run: apt-get install bubblewrap")
        self.program = found

    def settings(self, spec: SandboxSpec) -> Settings:
        """Return what the zygote must know to build such a sandbox."""
        interpreter = Interpreter.current()
        size = spec.scratch_mb * 2**20
        return {
            **shared_settings(
                "namespaces", spec, processes=spec.processes, address_space=not self.grouped
            ),
            "bwrap": self.program,
            "holder": _HOLDER,
            "arguments": [*_isolation(), *_filesystem(spec, interpreter)],
            "filter": base64.b64encode(seccomp.program(deny_memfd=not self.grouped)).decode(),
            "tmpfs": {SCRATCH: size, SHARED_MEMORY: size},
            "shared": [SHARED_MEMORY],
            "born_inside": self.grouped,  # as root alone can
            "files": spec.files,
            "reach": [str(prefix) for prefix in interpreter.prefixes],
        }

    def inside(self, folder: Path) -> tuple[str, str]:
        """Return the submission's and the scratch folder as student code sees them."""
        return SUBMISSION, SCRATCH


def _isolation() -> Iterator[str]:
    yield from ("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc")
    yield from ("--unshare-uts", "--unshare-cgroup-try", "--disable-userns")
    yield from ("--die-with-parent", "--new-session", "--cap-drop", "ALL")
    yield from ("--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--clearenv")
    for name, value in environment(SCRATCH).items():
        yield from ("--setenv", name, value)


def _mounts(interpreter: Interpreter) -> Iterator[str]:
    """Yield the host's folders and files that are seen inside under their own names."""
    yield "/usr"
    for name in (*_MERGED, *_SYSTEM_FILES):
        if os.path.exists(name) and not os.path.islink(name):
            yield name
    for prefix in interpreter.prefixes:
        if not prefix.is_relative_to("/usr"):
            yield str(prefix)


def _filesystem(spec: SandboxSpec, interpreter: Interpreter) -> Iterator[str]:
    mounts = list(_mounts(interpreter))
    size = str(spec.scratch_mb * 2**20)
    for name in _MERGED:
        if os.path.islink(name):
            yield from ("--symlink", os.readlink(name), name)
    # An interpreter below /tmp (a checkout there, say) leaves no room for a link of that name.
    in_tmp = any(Path(target).is_relative_to("/tmp") for target in mounts)  # noqa: S108
    if in_tmp:
        yield from ("--tmpfs", "/tmp")  # noqa: S108
    for path in mounts:
        yield from ("--ro-bind", path, path)
    yield from ("--ro-bind", "{submission}", SUBMISSION)
    for path in hidden_folders(spec, mounts):
        yield from ("--tmpfs", path, "--remount-ro", path)
    yield from ("--proc", "/proc", "--dev", "/dev")
    for path in device_files() if spec.gpu else ():
        yield from ("--dev-bind", path, path)
    for path in (SHARED_MEMORY, SCRATCH):
        yield from ("--size", size, "--tmpfs", path)
    if in_tmp:
        yield from ("--remount-ro", "/tmp")  # noqa: S108
    else:
        yield from ("--symlink", SCRATCH, "/tmp")  # noqa: S108
    yield from ("--chdir", SCRATCH)
    yield from ("--remount-ro", "/dev", "--remount-ro", "/")
