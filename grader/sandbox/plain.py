"""Tier 4: a plain process. For development on machines without namespaces; not for grades."""

from __future__ import annotations

from grader.sandbox.confinement import (
    Confined,
    Interpreter,
    Launch,
    environment,
    runner_command,
    start_process,
)
from grader.sandbox.process_tree import ProcessTree
from grader.sandbox.spec import Tier


class PlainProcess:
    """Starts the runner as an ordinary child with rlimits: it hides nothing of the host."""

    tier = Tier.PROCESS

    def start(self, launch: Launch) -> Confined:
        """Start the runner; SandboxError if the process cannot be made."""
        scratch = launch.scratch / "work"
        scratch.mkdir()
        command = runner_command(
            launch,
            Interpreter.current(),
            str(launch.wire),
            count_processes=False,
            address_space=True,
        )
        env = environment(str(scratch))
        return ProcessTree(start_process(launch, command, env=env, cwd=scratch))

    def inside(self, launch: Launch) -> str:
        """Return the submission's folder as student code sees it."""
        return str(launch.submission)
