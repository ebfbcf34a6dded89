"""Say which sandbox tier this machine gives, what was found, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from grader.errors import ProctorError
from grader.sandbox import cgroup, seccomp
from grader.sandbox.box import Sandbox
from grader.sandbox.gpu import gpu_count
from grader.sandbox.guest import landlock
from grader.sandbox.spec import SandboxSpec, Tier
from grader.sandbox.tiers import best_tier, confinement, namespaces_work
from grader.sandbox.zygote import ZygoteProcess

_LEAST_MEMORY_GB = 3.5
_MORE_MEMORY = "a lab with torch needs about 1.5 GB, and each submission up to its limit besides"
_TRIAL_CPU_SECONDS = 5.0
_TRIAL_MODULE = "trial"
_TRIAL_SOURCE = "def answer():\n    return 42\n"


@dataclass(frozen=True)
class Check:
    """One thing looked at: what was found and, if it is not well, what to do."""

    name: str
    ok: bool
    found: str
    mend: str = ""


@dataclass(frozen=True)
class DoctorReport:
    """The tier this machine gives to this user, and the checks behind it."""

    tier: int
    tier_name: str
    lines: tuple[Check, ...]
    better: tuple[str, ...] = ()  # what to do for a stronger tier; nothing at tier 1

    @property
    def fit_for_grades(self) -> bool:
        """Whether scores made here may be used as grades."""
        return self.tier < Tier.PROCESS and self.lines[-1].ok


def doctor() -> DoctorReport:
    """Look at everything a sandbox needs, then start one and ask it a question."""
    tier = best_tier()
    confinement_lines = tuple(_confinement())
    lines = (*_software(), *confinement_lines, _trial(tier))
    mends = tuple(line.mend for line in confinement_lines if not line.ok and line.mend)
    return DoctorReport(int(tier), tier.title, lines, () if tier is Tier.FULL else mends)


def _software() -> Iterator[Check]:
    good = sys.version_info >= (3, 11)
    yield Check("Python", good, platform.python_version(), "" if good else "install Python 3.11")
    for name in ("torch", "numpy"):
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            yield Check(name, False, "not installed", f"install it: pip install {name}")
    memory = psutil.virtual_memory().total / 2**30
    yield Check("Processors", True, f"{os.cpu_count()}; each grading run keeps one busy")
    gpus = gpu_count()
    yield Check("GPU", True, f"{gpus} of NVIDIA's" if gpus else "none; few labs ask for one")
    yield Check("Memory", memory >= _LEAST_MEMORY_GB, f"{memory:.1f} GB", _MORE_MEMORY)


def _confinement() -> Iterator[Check]:
    if sys.platform != "linux":
        mend = "grade on Linux; here `grader check` is all that is safe"
        yield Check("Linux", False, platform.system(), mend)
        return
    program = shutil.which("bwrap")
    mend = "" if program else "apt-get install bubblewrap"
    yield Check("bubblewrap", program is not None, _bwrap_version(program), mend)
    not_tried = Check("User namespaces", False, "not tried, as bubblewrap is not here")
    yield _namespaces() if program else not_tried
    yield _seccomp()
    yield _landlock()
    yield _control_groups()


def _namespaces() -> Check:
    why_not = namespaces_work().partition(". See <")[0]
    if not why_not:
        return Check("User namespaces", True, "work")
    return Check("User namespaces", False, f"refused ({why_not})", _namespace_mend())


def _landlock() -> Check:
    version = landlock.version()
    found = f"version {version}" if version else "not in this kernel; only tier 3 would need it"
    return Check("Landlock", version > 0, found)


def _control_groups() -> Check:
    if cgroup.available():
        return Check("Control groups", True, "limits on memory and processes hold")
    if os.geteuid() != 0:
        return Check(
            "Control groups",
            False,
            "only root may make them",
            "grade as root (the worker, or grader run)",
        )
    mend = (
        "mount /sys/fs/cgroup writable with memory, pids and cpu (in a container: start it with "
        "--cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw)"
    )
    return Check("Control groups", False, "none that limit memory and processes", mend)


def _bwrap_version(program: str | None) -> str:
    if program is None:
        return "not installed"
    result = subprocess.run(  # noqa: S603 - fixed arguments
        [program, "--version"], capture_output=True, text=True, timeout=10, check=False
    )
    return result.stdout.strip() or "does not run"


def _namespace_mend() -> str:
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists():
        return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or a profile for bwrap)"
    return (
        "sysctl -w user.max_user_namespaces=10000 (in a container: start it with "
        "--security-opt seccomp=unconfined)"
    )


def _seccomp() -> Check:
    try:
        size = len(seccomp.program(deny_memfd=True))
    except (OSError, RuntimeError, AttributeError) as error:
        return Check("seccomp", False, str(error), "apt-get install libseccomp2")
    return Check("seccomp", True, f"filter of {size // 8} instructions")


def _trial(tier: Tier) -> Check:
    """Start the very sandbox that grades, and call a function in it."""
    try:
        answer = _ask_sandbox(tier)
    except ProctorError as error:
        text = str(error).strip().splitlines()
        return Check("Trial run", False, text[-1] if text else "failed", "mend the lines above")
    ok = answer == 42
    return Check("Trial run", ok, "a sandbox started and answered" if ok else f"said {answer!r}")


def _ask_sandbox(tier: Tier) -> Any:
    zygote = ZygoteProcess(confinement(tier), SandboxSpec(memory_mb=512))
    try:
        box = Sandbox(zygote.spawn, _write_trial, (_TRIAL_MODULE,), _TRIAL_CPU_SECONDS)
        with closing(box), box.session(0, _TRIAL_CPU_SECONDS) as session:
            return session.channel.ask("call", [_TRIAL_MODULE, "answer"], [], {})
    finally:
        zygote.close()


def _write_trial(folder: Path) -> None:
    (folder / f"{_TRIAL_MODULE}.py").write_text(_TRIAL_SOURCE, encoding="utf-8")
