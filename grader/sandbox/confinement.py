"""What every tier offers: start the runner confined, meter it, kill it without remains."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from grader.errors import SandboxError
from grader.sandbox.spec import SandboxSpec, Tier


@dataclass(frozen=True)
class Launch:
    """One sandbox to start: the host folders it sees and the ends of its pipes."""

    spec: SandboxSpec
    wire: Path  # holds the runner's package; read-only inside
    submission: Path  # empty at the start, filled before the submission is loaded; read-only inside
    scratch: Path  # an empty host folder for whatever the tier needs to stage
    control: socket.socket
    output: int  # file descriptor of student code's stdout and stderr


class Confined(Protocol):
    """A running sandbox, as its tier can watch it."""

    def cpu_seconds(self) -> float:
        """Return the CPU time used inside since the start, dead processes included."""

    def oom_kills(self) -> int:
        """Return how many processes were killed for want of memory."""

    def alive(self) -> bool:
        """Return whether the sandbox still runs."""

    def kill(self) -> None:
        """Kill everything inside and remove what the tier made on the host."""


class Confinement(Protocol):
    """A tier's way to start a sandbox."""

    tier: Tier

    def start(self, launch: Launch) -> Confined:
        """Start the runner; SandboxError if this machine will not."""

    def inside(self, launch: Launch) -> str:
        """Return the submission's folder as student code sees it."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs inside: the one that runs this process."""

    executable: str  # absolute
    prefixes: tuple[Path, ...]  # folders that must be visible for it to start
    site: tuple[str, ...]  # package folders, the package folders, for sys.path

    @classmethod
    def current(cls) -> Interpreter:
        """Describe the interpreter of this process."""
        paths = sysconfig.get_paths()
        site = tuple(dict.fromkeys((paths["purelib"], paths["platlib"])))
        prefixes = dict.fromkeys(
            Path(p).resolve() for p in (sys.base_prefix, sys.base_exec_prefix, sys.prefix)
        )
        return cls(os.path.realpath(sys.executable), tuple(prefixes), site)


def environment(home: str) -> dict[str, str]:
    """Return the whole environment of student code: nothing of ours is in it."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **threads}


def runner_command(
    launch: Launch,
    interpreter: Interpreter,
    wire: str,
    *,
    count_processes: bool,
    address_space: bool,
) -> list[str]:
    """Return the command that starts the keeper; `wire` is the runner's folder as seen inside."""
    spec = launch.spec
    rlimits = {
        "RLIMIT_NOFILE": 256,
        "RLIMIT_FSIZE": 64 * 2**20,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": spec.cpu_seconds,
    }
    if count_processes:
        rlimits["RLIMIT_NPROC"] = spec.processes
    settings = {
        "control": launch.control.fileno(),
        "hide": spec.hide,
        "warm": spec.warm,
        "rlimits": rlimits,
        "address_space_mb": spec.memory_mb if address_space else 0,
    }
    paths = [wire, *interpreter.site]  # read without `site`, so that no .pth file runs or adds any
    boot = f"import sys; sys.path += {paths!r}; from wire.runner import main; main()"
    return [interpreter.executable, "-I", "-S", "-B", "-c", boot, json.dumps(settings)]


def start_process(
    launch: Launch,
    command: list[str],
    fds: tuple[int, ...] = (),
    *,
    env: dict[str, str] | None = None,
    cwd: Path | None = None,
    uid: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a command that inherits the control socket and `fds`; by default no environment."""
    try:
        return subprocess.Popen(  # noqa: S603 - a fixed program, no text of a student's
            command,
            stdin=subprocess.DEVNULL,
            stdout=launch.output,
            stderr=launch.output,
            pass_fds=(launch.control.fileno(), *fds),
            env=env or {},
            cwd=cwd,
            start_new_session=True,
            user=uid,
            group=uid,
            extra_groups=None if uid is None else (),
        )
    except OSError as error:
        raise SandboxError(f"the sandbox could not be started: {error}") from error
