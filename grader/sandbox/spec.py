"""What a sandbox is asked to be, and the tiers of confinement a machine can give."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Tier(IntEnum):
    """How strongly student code is confined; recorded with every grade, never silently lowered."""

    FULL = 1  # root: cgroup, a user id of its own, namespaces, seccomp
    NAMESPACES = 2  # ordinary user: namespaces, seccomp, rlimits
    LANDLOCK = 3  # no user namespaces: Landlock, seccomp, rlimits
    PROCESS = 4  # a plain process: for development, not for grades

    @property
    def title(self) -> str:
        """The tier in a few words, for reports."""
        return _TITLES[self]


_TITLES = {
    Tier.FULL: "cgroup, own user id, namespaces and seccomp",
    Tier.NAMESPACES: "namespaces and seccomp",
    Tier.LANDLOCK: "Landlock and seccomp",
    Tier.PROCESS: "plain process, not for grades",
}


@dataclass(frozen=True)
class SandboxSpec:
    """One sandbox: which libraries it holds and what it may use."""

    hide: tuple[str, ...] = ()  # top-level packages that must not exist inside
    warm: tuple[str, ...] = ("numpy",)  # imported before any student code
    memory_mb: int = 2048
    cpu_seconds: int = 3600  # hard stop of any single process; tests have their own, smaller one
    processes: int = 64
    scratch_mb: int = 256  # the writable folder inside
    files: int = 20_000  # that the writable folder can hold
    gpu: bool = False  # whether it may compute on the machine's GPUs
    conceal: tuple[Path, ...] = ()  # host folders that must not be seen, whatever is mounted
