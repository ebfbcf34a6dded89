"""One prepared sandbox, still empty: its sockets, its folder, and the power to meter and kill it.

A cell can be handed from the process that made it to the one that grades with it.
"""

from __future__ import annotations

import io
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox.cgroup import Cgroup
from grader.sandbox.ownership import remove_tree
from grader.sandbox.process_tree import ProcessTree
from grader.sandbox.spec import Tier


@dataclass(frozen=True, eq=False)
class Cell:
    """A keeper that waits for a submission in `folder`; see `grader.sandbox.box.Sandbox`."""

    tier: Tier
    control: socket.socket  # to the keeper
    output: io.FileIO  # reads what student code prints
    folder: Path  # on the host; its `submission` is what student code will see
    inside: str  # the submission's folder as student code sees it
    memory_mb: int
    tree: ProcessTree
    group: Cgroup | None

    @property
    def submission(self) -> Path:
        """The folder to write the submission to."""
        return self.folder / "submission"

    def cpu_seconds(self) -> float:
        """Return the CPU time used inside since the start, dead processes included."""
        return self.group.cpu_seconds() if self.group else self.tree.cpu_seconds()

    def oom_kills(self) -> int:
        """Return how many processes were killed for want of memory; 0 where nobody counts."""
        return self.group.oom_kills() if self.group else 0

    def reached_memory_limit(self) -> bool:
        """Whether the sandbox ever came to its own limit, and not only the machine to its end."""
        return self.group is not None and self.group.reached_memory_limit()

    def kill(self) -> None:
        """Kill everything inside; the meter can still be read."""
        if self.group:
            self.group.kill()
        else:
            self.tree.kill()

    def release(self) -> None:
        """Close this process's ends and leave the sandbox to others."""
        self.control.close()
        self.output.close()

    def remove(self) -> None:
        """Kill everything inside and remove every trace on the host."""
        self.release()
        self.kill()
        remove_tree(self.folder)
        if self.group:
            self.group.remove()

    def describe(self) -> tuple[dict[str, Any], list[int]]:
        """Return what another process needs to use the cell: plain values, and descriptors."""
        known = {
            "tier": int(self.tier),
            "folder": str(self.folder),
            "inside": self.inside,
            "memory_mb": self.memory_mb,
            "tree": self.tree.describe(),
            "group": self.group.name if self.group else None,
        }
        return known, [self.control.fileno(), self.output.fileno()]

    @classmethod
    def received(cls, known: dict[str, Any], fds: list[int]) -> Cell:
        """Rebuild a cell from what `describe` gave; SandboxError if it is gone."""
        if len(fds) != 2:
            raise SandboxError("a sandbox was handed over without its sockets")
        control, output = fds
        return cls(
            Tier(known["tier"]),
            socket.socket(fileno=control),
            io.FileIO(output),
            Path(known["folder"]),
            known["inside"],
            known["memory_mb"],
            ProcessTree(*known["tree"]),
            Cgroup.existing(known["group"]) if known["group"] else None,
        )
