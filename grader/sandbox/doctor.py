"""Say which sandbox tier this machine gives, what was found, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from grader.errors import ProctorError
from grader.sandbox import cgroup, seccomp
from grader.sandbox.box import Sandbox
from grader.sandbox.spec import SandboxSpec, Tier
from grader.sandbox.tiers import best_tier, confinement, namespaces_work

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

    @property
    def fit_for_grades(self) -> bool:
        """Whether scores made here may be used as grades."""
        return self.tier < Tier.PROCESS and self.lines[-1].ok


def doctor() -> DoctorReport:
    """Look at everything a sandbox needs, then start one and ask it a question."""
    tier = best_tier()
    lines = (*_software(), *_confinement(), _trial(tier))
    return DoctorReport(int(tier), tier.title, lines)


def _software() -> Iterator[Check]:
    good = sys.version_info >= (3, 11)
    yield Check("Python", good, platform.python_version(), "" if good else "install Python 3.11")
    for name in ("torch", "numpy"):
        try:
            yield Check(name, True, version(name))
        except PackageNotFoundError:
            yield Check(name, False, "not installed", f"install it: pip install {name}")
    yield Check("Processors", True, f"{os.cpu_count()} (each grading run keeps one busy)")


def _confinement() -> Iterator[Check]:
    if sys.platform != "linux":
        mend = "grade on Linux; here `grader check` is all that is safe"
        yield Check("Linux", False, platform.system(), mend)
        return
    program = shutil.which("bwrap")
    mend = "" if program else "apt-get install bubblewrap"
    yield Check("bubblewrap", program is not None, _bwrap_version(program), mend)
    why_not = namespaces_work()
    yield Check(
        "User namespaces",
        not why_not,
        why_not or "work",
        _namespace_mend() if why_not else "",
    )
    yield _seccomp()
    groups = cgroup.available()
    yield Check(
        "Control groups",
        groups,
        "memory and process limits hold" if groups else "not available to this user",
        "" if groups else "run the worker as root for tier 1; tier 2 limits memory per process",
    )


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
        "sysctl -w user.max_user_namespaces=10000; in a container, start it with "
        "--security-opt seccomp=unconfined"
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
    box = Sandbox(confinement(tier), SandboxSpec(memory_mb=512))
    try:
        box.load(_write_trial, (_TRIAL_MODULE,), _TRIAL_CPU_SECONDS)
        with box.session(0, _TRIAL_CPU_SECONDS) as session:
            return session.channel.ask("call", [_TRIAL_MODULE, "answer"], [], {})
    finally:
        box.close()


def _write_trial(folder: Path) -> None:
    (folder / f"{_TRIAL_MODULE}.py").write_text(_TRIAL_SOURCE, encoding="utf-8")
