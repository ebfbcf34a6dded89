"""A running sandbox without a cgroup: its process, the descendants, and their CPU time."""

from __future__ import annotations

import subprocess
from contextlib import suppress

import psutil


class ProcessTree:
    """A child process and everything it started.

    CPU time is added up over the tree, remembering processes that are gone. One that lives and
    dies between two looks counts through its parent, if that waited for it. What slips through
    is why tier 1 counts with a cgroup instead.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self._seen: dict[tuple[int, float], float] = {}

    def cpu_seconds(self) -> float:
        """Return the seconds used so far; never less than the time before."""
        for process in self._tree():
            with suppress(psutil.Error):
                key = (process.pid, process.create_time())
                self._seen[key] = max(self._seen.get(key, 0.0), sum(process.cpu_times()[:2]))
        return sum(self._seen.values())

    def oom_kills(self) -> int:
        """Return 0: without a cgroup nothing counts them."""
        return 0

    def alive(self) -> bool:
        """Return whether the child still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """Kill the child and every descendant that can be found."""
        for process in reversed(self._tree()):
            with suppress(psutil.Error):
                process.kill()
        self.process.kill()
        self.process.wait()

    def _tree(self) -> list[psutil.Process]:
        try:
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        except psutil.Error:
            return []
