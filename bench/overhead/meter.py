"""Run a command in a group of its own and count what its whole process tree used.

With control groups (root) every process counts, also one that left its parent, and the group
bounds memory. Without them the kernel's account of ended children is used, and each process is
bounded by an address space limit.

A command that makes control groups itself finds its own below the metered one: the folders of the
metered group are mounted over the hierarchies for it, so that nothing it starts escapes the count.
"""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path("/sys/fs/cgroup")
CONTROLLERS = ("cpuacct", "memory", "pids")
MEMORY_BYTES = 6 * 2**30
PROCESSES = 1024
SAMPLE_SECONDS = 0.05
DRAIN_SECONDS = 10.0


@dataclass(frozen=True)
class Usage:
    """What a command used."""

    wall: float  # seconds
    cpu: float  # seconds of all its processes
    peak_mb: float  # largest private memory of all its processes together, in MiB
    foreign_cpu: float  # CPU seconds that others used on this machine meanwhile
    exit_code: int | None  # None: it ran past its time and was ended
    meter: str

    def as_dict(self) -> dict[str, object]:
        """Return a JSON-ready copy."""
        return asdict(self)


class Group(Protocol):
    """Counts one process tree."""

    title: str

    def join(self) -> None:
        """Put the calling process in; called in the child before it starts the command."""

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return what to start for a command."""

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""

    def memory(self) -> int:
        """Return the bytes of private memory now in use."""

    def close(self, process: subprocess.Popen[bytes]) -> None:
        """End what is left and remove the group."""


class ControlGroups:
    """Version 1 control groups, for root."""

    title = "control groups"

    def __init__(self, name: str) -> None:
        self.folders = [ROOT / controller / name for controller in CONTROLLERS]
        for folder in self.folders:
            folder.mkdir()
        self._cpuacct, self._memory, self._pids = self.folders
        (self._memory / "memory.limit_in_bytes").write_text(str(MEMORY_BYTES))
        (self._pids / "pids.max").write_text(str(PROCESSES))

    def join(self) -> None:
        """Put the calling process in every group."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text("0")

    def command(self, argv: Sequence[str]) -> list[str]:
        """Mount the group's folders over the hierarchies, then run the command."""
        binds = [
            f"mount --bind {folder} {ROOT / controller}"
            for folder, controller in zip(self.folders, CONTROLLERS, strict=True)
        ]
        script = " && ".join([*binds, f"exec {shlex.join(argv)}"])
        return ["unshare", "--mount", "sh", "-c", script]

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        return int((self._cpuacct / "cpuacct.usage").read_text()) / 1e9

    def memory(self) -> int:
        """Return the bytes of private memory now in use; file pages are shared and not counted."""
        for line in (self._memory / "memory.stat").read_text().splitlines():
            if line.startswith("total_rss "):
                return int(line.split()[1])
        return 0

    def close(self, process: subprocess.Popen[bytes]) -> None:
        """Kill what is left in the group and remove it with the groups below it."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline:
            self._kill()
            if all(_removed(folder) for folder in self.folders):
                return
            time.sleep(0.02)
        raise RuntimeError(f"the group {self._pids} could not be emptied")

    def _kill(self) -> None:
        for file in self._pids.rglob("cgroup.procs"):
            with suppress(OSError):
                for pid in file.read_text().split():
                    os.kill(int(pid), signal.SIGKILL)


def _removed(folder: Path) -> bool:
    if not folder.exists():
        return True
    below = sorted((f for f in folder.rglob("*") if f.is_dir()), reverse=True)
    for group in (*below, folder):
        with suppress(OSError):
            group.rmdir()
    return not folder.exists()


class Children:
    """The kernel's account of ended children, for everyone else."""

    title = "ended children"

    def __init__(self) -> None:
        self._before = resource.getrusage(resource.RUSAGE_CHILDREN)

    def join(self) -> None:
        """Bound the address space of each process."""
        resource.setrlimit(resource.RLIMIT_AS, (2 * MEMORY_BYTES, 2 * MEMORY_BYTES))

    def command(self, argv: Sequence[str]) -> list[str]:
        """Return the command as it is."""
        return list(argv)

    def cpu(self) -> float:
        """Return the CPU seconds of the children that have ended."""
        now = resource.getrusage(resource.RUSAGE_CHILDREN)
        return now.ru_utime + now.ru_stime - self._before.ru_utime - self._before.ru_stime

    def memory(self) -> int:
        """Return the largest resident size of any one child so far."""
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

    def close(self, process: subprocess.Popen[bytes]) -> None:
        """End the command's session."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def make_group() -> Group:
    """Return the best meter for this user and machine."""
    if os.geteuid() == 0 and all((ROOT / name / "cgroup.procs").exists() for name in CONTROLLERS):
        return ControlGroups(f"proctor-bench-{os.getpid()}-{time.monotonic_ns()}")
    return Children()


def run_metered(
    argv: Sequence[str], *, cwd: Path, environ: dict[str, str], limit: float, log: Path
) -> Usage:
    """Run a command for at most `limit` seconds; its output goes to `log`."""
    group = make_group()
    idle, start = _busy_seconds(), time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            group.command(argv),
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=group.join,
        )
        peak = Peak(group)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            code = None
        wall, cpu = time.monotonic() - start, group.cpu()
        busy, peak_bytes = _busy_seconds() - idle, peak.stop()
        group.close(process)
        process.wait()
    return Usage(
        round(wall, 3),
        round(cpu, 3),
        round(peak_bytes / 2**20, 1),
        round(max(busy - cpu, 0.0), 3),
        code,
        group.title,
    )


class Peak:
    """Watches a group's memory from a thread of its own."""

    def __init__(self, group: Group) -> None:
        self._group, self._peak, self._ended = group, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, self._group.memory())

    def stop(self) -> int:
        """Return the largest sample in bytes."""
        self._ended.set()
        self._thread.join()
        return max(self._peak, self._group.memory())


def _busy_seconds() -> float:
    """Return the CPU seconds this machine has spent on anything since it started."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _iowait, irq, softirq = map(
        int, stat.read_text().splitlines()[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
