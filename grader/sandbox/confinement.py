"""What every tier tells its zygote, and the interpreter and limits all of them share."""

from __future__ import annotations

import os
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from grader.errors import SandboxError
from grader.sandbox.gpu import gpu_count
from grader.sandbox.spec import SandboxSpec, Tier

Settings = dict[str, Any]

# Read once, when OpenMP and the BLAS libraries are loaded: before any student code.
_ONE_THREAD = ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Confinement(Protocol):
    """A tier: how a fork of the zygote is shut in."""

    tier: Tier
    grouped: bool  # whether each sandbox gets a control group

    def settings(self, spec: SandboxSpec) -> Settings:
        """Return what a zygote of this tier must know; SandboxError if it cannot hold `spec`."""

    def inside(self, folder: Path) -> tuple[str, str]:
        """Return a slot's submission and scratch folders as student code sees them."""


@dataclass(frozen=True)
class Interpreter:
    """The Python that runs inside: the one that runs this process."""

    executable: str  # absolute
    prefixes: tuple[Path, ...]  # folders that must be visible for it to start
    site: tuple[str, ...]  # package folders, for sys.path

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
    """Return the whole environment of student code: nothing of ours is in it.

    A run has one core. `_ONE_THREAD` holds a library to it whatever student code asks for: with
    ``OMP_THREAD_LIMIT``, ``torch.set_num_threads(8)`` starts no thread (`guest/threads.py`).
    Without it, threads that wait for each other spend a test's CPU time, and a fork of a process
    that has run them hangs.
    """
    threads = dict.fromkeys(_ONE_THREAD, "1")
    return {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **threads}


def shared_settings(
    kind: str, spec: SandboxSpec, *, processes: int | None, address_space: bool
) -> Settings:
    """Return the settings every tier has; `processes` is None where counting them would harm.

    Raises SandboxError if `spec` asks for a GPU and cannot have one here.
    """
    if spec.gpu:
        _check_gpu(address_space)
    rlimits = {
        "RLIMIT_NOFILE": 256,
        "RLIMIT_FSIZE": 64 * 2**20,
        "RLIMIT_CORE": 0,
        "RLIMIT_CPU": spec.cpu_seconds,
    }
    if processes is not None:
        rlimits["RLIMIT_NPROC"] = processes
    return {
        "kind": kind,
        "root": os.geteuid() == 0,
        "hide": spec.hide,
        "warm": spec.warm,
        "rlimits": rlimits,
        "shared": [],  # folders beside the scratch folder that student code may write to
        "address_space_mb": spec.memory_mb if address_space else 0,
    }


def _check_gpu(address_space: bool) -> None:
    if not gpu_count():
        raise SandboxError(
            "this lab needs an NVIDIA GPU, and this machine has none (there is no /dev/nvidia0); "
            "grade it on one that has: portal worker --queue gpu"
        )
    if address_space:
        # CUDA reserves far more addresses than it uses: a limit on them stops it at its start.
        raise SandboxError(
            "this lab needs a GPU, and only sandbox tier 1 can limit memory there; "
            "`grader doctor` says how to reach it"
        )


def hidden_folders(spec: SandboxSpec, visible: list[str]) -> list[str]:
    """Return the folders that must look empty: hidden libraries, and secrets of the host."""
    libraries = [Path(site) / name for site in Interpreter.current().site for name in spec.hide]
    found = [str(path.resolve()) for path in libraries if path.is_dir()]
    for secret in spec.conceal:
        path = secret.resolve()
        if path.is_dir() and any(path.is_relative_to(target) for target in visible):
            found.append(str(path))
    return found
