"""Tier 4: a plain process. For development on machines without namespaces; not for grades."""

from __future__ import annotations

import os

from grader.sandbox.confinement import (
    Confined,
    Interpreter,
    Launch,
    environment,
    runner_command,
    start_process,
)
from grader.sandbox.ownership import fresh_uid
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
        uid = None
        if os.geteuid() == 0:
            # As root, one kill(-1, 9) in student code would end every process of the machine.
            uid = fresh_uid()
            os.chown(scratch, uid, uid)
            for folder in (launch.scratch, launch.scratch.parent):
                folder.chmod(0o711)
        return ProcessTree(start_process(launch, command, env=env, cwd=scratch, uid=uid))

    def inside(self, launch: Launch) -> str:
        """Return the submission's folder as student code sees it."""
        return str(launch.submission)
