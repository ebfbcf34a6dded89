"""Tier 4: a plain process. For development on machines without namespaces; not for grades."""

from __future__ import annotations

from pathlib import Path

from grader.sandbox.confinement import Interpreter, Settings, shared_settings
from grader.sandbox.spec import SandboxSpec, Tier


class PlainProcess:
    """Ordinary children with rlimits: they hide nothing of the host.

    As root they still become another user: one kill(-1, 9) in student code would otherwise end
    every process of the machine.
    """

    tier = Tier.PROCESS
    grouped = False

    def settings(self, spec: SandboxSpec) -> Settings:
        """Return what the zygote must know."""
        prefixes = Interpreter.current().prefixes
        shared = shared_settings("plain", spec, processes=None, address_space=True)
        return {**shared, "reach": [str(prefix) for prefix in prefixes]}

    def inside(self, folder: Path) -> tuple[str, str]:
        """Return the submission's and the scratch folder as student code sees them."""
        return str(folder / "submission"), str(folder / "scratch")
