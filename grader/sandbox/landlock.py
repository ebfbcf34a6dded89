"""Tier 3: Landlock and a stricter filter, for machines without user namespaces.

The processes share the host's namespaces, so the filter closes what a namespace would have
hidden: sockets, shared memory and queues, and (before Landlock's version 6) signals.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path

import psutil

from grader.errors import SandboxError
from grader.sandbox import seccomp
from grader.sandbox.confinement import Interpreter, Settings, hidden_folders, shared_settings
from grader.sandbox.guest import landlock
from grader.sandbox.spec import SandboxSpec, Tier

_READABLE = (
    "/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives",
    "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip
_WRITABLE = ("/dev/null",)


class Landlock:
    """Sandboxes that share the host's namespaces but can open nothing of it."""

    tier = Tier.LANDLOCK
    grouped = False

    def settings(self, spec: SandboxSpec) -> Settings:
        """Return what the zygote must know; SandboxError if something cannot be hidden."""
        interpreter = Interpreter.current()
        tops = [*_READABLE, *map(str, interpreter.prefixes)]
        hidden = hidden_folders(spec, tops)
        program = seccomp.program(
            deny_memfd=True, alone=True, deny_signals=not landlock.holds_signals()
        )
        return {
            **shared_settings(
                "landlock", spec, processes=_allowed_processes(spec), address_space=True
            ),
            "filter": base64.b64encode(program).decode(),
            "readable": [path for top in tops for path in _without(top, hidden)],
            "writable": _WRITABLE,
            "reach": [str(prefix) for prefix in interpreter.prefixes],
        }

    def inside(self, folder: Path) -> tuple[str, str]:
        """Return the submission's and the scratch folder as student code sees them."""
        return str(folder / "submission"), str(folder / "scratch")


def _without(top: str, hidden: list[str]) -> Iterator[str]:
    """Yield paths that together hold all of `top` but the hidden folders.

    Landlock allows whole trees and takes nothing back, so a tree with something hidden in it is
    allowed entry by entry.
    """
    real = os.path.realpath(top)
    if real in hidden:
        return
    if not any(Path(path).is_relative_to(real) for path in hidden):
        yield top
        return
    try:
        entries = os.listdir(real)
    except OSError as error:
        raise SandboxError(f"{top} holds something to hide and cannot be listed: {error}") from None
    for name in entries:
        yield from _without(os.path.join(real, name), hidden)


def _allowed_processes(spec: SandboxSpec) -> int:
    """Return a limit on processes; outside a namespace the kernel counts all that a user has."""
    if os.geteuid() == 0:
        return spec.processes  # each sandbox is a user of its own
    mine = sum(1 for p in psutil.process_iter(["uids"]) if _owned(p))
    return mine + spec.processes


def _owned(process: psutil.Process) -> bool:
    uids = process.info["uids"]
    return uids is not None and uids.real == os.getuid()
