"""Which tier this machine can give, found by trying it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from grader.errors import SandboxError
from grader.sandbox import cgroup
from grader.sandbox.bubblewrap import Bubblewrap
from grader.sandbox.confinement import Confinement
from grader.sandbox.plain import PlainProcess
from grader.sandbox.spec import Tier

_PROBE_SECONDS = 20


def namespaces_work() -> str:
    """Return "" if bubblewrap can make its namespaces here, else why not."""
    program = shutil.which("bwrap")
    if program is None:
        return "bubblewrap is not installed; run: apt-get install bubblewrap"
    command = [program, "--unshare-user", "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/"]
    options: dict[str, int] = {"user": 65_534} if os.geteuid() == 0 else {}
    try:
        result = subprocess.run(  # noqa: S603 - fixed program and arguments
            [*command, "/bin/true"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=False,
            cwd="/",
            **options,  # type: ignore[call-overload]
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not run: {error}"
    return "" if result.returncode == 0 else result.stderr.strip().splitlines()[-1]


def best_tier() -> Tier:
    """Return the strongest tier this machine gives to this user."""
    if sys.platform != "linux" or namespaces_work():
        return Tier.PROCESS
    return Tier.FULL if cgroup.available() else Tier.NAMESPACES


def confinement(tier: Tier | None = None, minimum: Tier | None = None) -> Confinement:
    """Return the confinement of a tier (by default the best one here).

    Raises SandboxError if it is weaker than `minimum`: a run is refused, never lowered.
    """
    chosen = best_tier() if tier is None else tier
    if minimum is not None and chosen > minimum:
        raise SandboxError(
            f"this machine gives sandbox tier {int(chosen)} ({chosen.title}), but tier "
            f"{int(minimum)} or better is demanded; `grader doctor` says what is missing"
        )
    if chosen is Tier.PROCESS:
        return PlainProcess()
    if chosen is Tier.LANDLOCK:
        raise SandboxError("tier 3 (Landlock) is not available in this version")
    return Bubblewrap(chosen)
