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
from grader.sandbox.guest import landlock
from grader.sandbox.landlock import Landlock
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


def available_tiers() -> list[Tier]:
    """Return the tiers this machine gives to this user, the strongest first."""
    found = []
    if sys.platform == "linux":
        if not namespaces_work():
            found += [Tier.FULL] if cgroup.available() else []
            found += [Tier.NAMESPACES]
        found += [Tier.LANDLOCK] if landlock.version() else []
    return [*found, Tier.PROCESS]


def best_tier() -> Tier:
    """Return the strongest tier this machine gives to this user."""
    return available_tiers()[0]


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
        if not landlock.version():
            raise SandboxError("tier 3 needs Landlock, which this kernel does not offer")
        return Landlock()
    return Bubblewrap(chosen)
