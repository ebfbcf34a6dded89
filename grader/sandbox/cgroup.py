"""Control groups: the limits no process can leave, under version 1 and version 2.

A sandbox gets one group (v2) or one group in each controller (v1), named after the process that
made it, so that a later run can remove what a killed one left behind.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from grader.errors import SandboxError
from grader.sandbox.guest.kernelfile import contents
from grader.sandbox.ownership import owner_alive

ROOT = Path("/sys/fs/cgroup")
PARENT = "proctor"
_V1_CONTROLLERS = ("memory", "pids", "cpuacct")
_DRAIN_SECONDS = 5.0
_NEAR_LIMIT = 4 * 2**20  # memory is charged in batches, and huge pages whole


def available(root: Path = ROOT) -> bool:
    """Return whether this process may make groups that limit memory and processes."""
    return _version(root) is not None and os.geteuid() == 0


def _version(root: Path) -> int | None:
    controllers = root / "cgroup.controllers"
    if controllers.is_file():
        has = set(controllers.read_text(encoding="ascii").split())
        return 2 if {"memory", "pids", "cpu"} <= has else None
    if all((root / name / "cgroup.procs").exists() for name in _V1_CONTROLLERS):
        return 1
    return None


@dataclass(frozen=True)
class Cgroup:
    """One sandbox's group: one folder (v2), or one a controller (v1)."""

    version: int
    folders: dict[str, Path]  # controller -> folder; in v2 all the same one

    @classmethod
    def create(cls, name: str, *, memory_mb: int, processes: int, root: Path = ROOT) -> Cgroup:
        """Make the group and set its limits; SandboxError if the kernel refuses."""
        version = _version(root)
        if version is None:
            raise SandboxError("no cgroup controllers for memory and processes on this machine")
        try:
            group = cls._make_v2(name, root) if version == 2 else cls._make_v1(name, root)
            group._set_limits(memory_mb * 2**20, processes)
        except OSError as error:
            raise SandboxError(f"cannot make the cgroup {name}: {error}") from error
        return group

    @classmethod
    def existing(cls, name: str, root: Path = ROOT) -> Cgroup:
        """Return a group by the name it was made under."""
        version = _version(root) or 1
        return cls(version, _folders(name, version, root))

    @classmethod
    def _make_v1(cls, name: str, root: Path) -> Cgroup:
        folders = _folders(name, 1, root)
        for folder in folders.values():
            folder.mkdir(parents=True)
        return cls(1, folders)

    @classmethod
    def _make_v2(cls, name: str, root: Path) -> Cgroup:
        parent = root / PARENT
        parent.mkdir(exist_ok=True)
        for folder in (root, parent):
            (folder / "cgroup.subtree_control").write_text("+memory +pids +cpu")
        (parent / name).mkdir()
        return cls(2, _folders(name, 2, root))

    def _set_limits(self, memory: int, processes: int) -> None:
        folder = self.folders["memory"]
        if self.version == 2:
            (folder / "memory.max").write_text(str(memory))
            (folder / "memory.oom.group").write_text("0")  # the fork that asked dies, not the rest
            self._optional(folder / "memory.swap.max", "0")
        else:
            (folder / "memory.limit_in_bytes").write_text(str(memory))
            self._optional(folder / "memory.memsw.limit_in_bytes", str(memory))
        (self.folders["pids"] / "pids.max").write_text(str(processes))

    @staticmethod
    def _optional(file: Path, value: str) -> None:
        if file.exists():  # kernels without swap accounting have no such file
            file.write_text(value)

    @property
    def name(self) -> str:
        """The name it was made under."""
        return self.folders["memory"].name

    @property
    def entries(self) -> list[Path]:
        """The files a process writes its pid to in order to join."""
        return sorted({folder / "cgroup.procs" for folder in self.folders.values()})

    def cpu_seconds(self) -> float:
        """Return the CPU time of everything that ever ran in the group."""
        text = contents(self._cpu_file)
        if self.version == 1:
            return int(text) / 1e9
        return _keyed(text).get("usage_usec", 0) / 1e6

    @cached_property
    def _cpu_file(self) -> str:
        return str(self.folders["cpuacct"] / ("cpuacct.usage", "cpu.stat")[self.version - 1])

    def oom_kills(self) -> int:
        """Return how many processes the kernel has killed for want of memory."""
        name = "memory.oom_control" if self.version == 1 else "memory.events"
        return _keyed(contents(str(self.folders["memory"] / name))).get("oom_kill", 0)

    def reached_memory_limit(self) -> bool:
        """Return whether the group ever wanted more memory than it may have."""
        folder = self.folders["memory"]
        if self.version == 1:
            # Its failure counter stays at 0 on some kernels; the high-water mark does not.
            limit = int((folder / "memory.limit_in_bytes").read_text())
            return int((folder / "memory.max_usage_in_bytes").read_text()) > limit - _NEAR_LIMIT
        return _keyed(contents(str(folder / "memory.events"))).get("max", 0) > 0

    def pids(self) -> list[int]:
        """Return the processes now in the group, as the host numbers them."""
        text = (self.folders["pids"] / "cgroup.procs").read_text()
        return [int(line) for line in text.split()]

    def kill(self) -> None:
        """Kill every process in the group."""
        with suppress(OSError):
            if self.version == 2:
                (self.folders["memory"] / "cgroup.kill").write_text("1")
            for pid in self.pids():
                os.kill(pid, signal.SIGKILL)

    def remove(self) -> None:
        """Kill what is left in the group and remove its folders."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < deadline:
            self.kill()
            with suppress(OSError):
                for folder in set(self.folders.values()):
                    if folder.exists():
                        folder.rmdir()
                return
            time.sleep(0.005)
        raise SandboxError(f"the cgroup {self.folders['memory']} could not be emptied")


def _folders(name: str, version: int, root: Path) -> dict[str, Path]:
    return {c: (root if version == 2 else root / c) / PARENT / name for c in _V1_CONTROLLERS}


def _keyed(text: bytes) -> dict[str, int]:
    pairs = (line.split() for line in text.decode().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def sweep(root: Path = ROOT) -> int:
    """Remove the groups of runs that were killed; return how many."""
    version = _version(root)
    base = root / PARENT if version == 2 else root / "memory" / PARENT
    left = [f.name for f in base.iterdir() if f.is_dir()] if base.is_dir() else []
    dead = [name for name in left if not owner_alive(name)]
    for name in dead:
        with suppress(SandboxError, OSError):
            Cgroup.existing(name, root).remove()
    return len(dead)
