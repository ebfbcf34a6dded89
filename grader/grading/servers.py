"""Grading servers kept warm: one for each lab graded lately, and a new one when a lab changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from grader.errors import GradingError
from grader.grading.collected import CollectedSuite
from grader.grading.digest import suite_stamp
from grader.grading.job import GradingJob, Setup
from grader.grading.server_process import OnProgress, ServerProcess
from grader.lab.catalogue import Lab
from grader.lab.data import data_digests

_MAX_LABS = 4  # of which servers are kept; each holds torch two or three times

_Key = tuple[Path, str]  # a lab's folder, and the stamp of its files


class WarmServers:
    """The servers of one pool, for any thread; they end with it, or with its process."""

    def __init__(
        self, *, idle: int, tier: int | None, minimum_tier: int | None, conceal: tuple[Path, ...]
    ) -> None:
        """Be ready to start servers; the settings are those of `Setup`."""
        self._idle = idle
        self._tier = tier
        self._minimum_tier = minimum_tier
        self._conceal = conceal
        self._servers: OrderedDict[_Key, ServerProcess] = OrderedDict()  # the last used last
        self._guard = threading.Lock()

    def run(self, lab: Lab, job: GradingJob, on_progress: OnProgress) -> dict[str, Any]:
        """Have a job done and return what it came to; GradingError after a fault of ours."""
        data = data_digests(lab.assignment, job.variant)
        with self._in_use(lab) as server:
            return server.run(job.model_copy(update={"data": data}), on_progress)

    def collected(self, lab: Lab) -> CollectedSuite:
        """Return the lab's tests as its server has collected them; GradingError if it cannot."""
        with self._in_use(lab) as server:
            return server.collected()

    @contextmanager
    def _in_use(self, lab: Lab) -> Iterator[ServerProcess]:
        """Give the lab's server, which does not end meanwhile."""
        if lab.reference is None:
            raise GradingError(f"{lab.assignment.slug}: no reference and no hidden suite here")
        key = (lab.public, suite_stamp(lab))
        with self._guard:
            server = self._alive(key) or self._start(key, lab, lab.reference)
            self._servers.move_to_end(key)
            self._retire_others(key)
            server.enter()
        try:
            yield server
        finally:
            server.leave()

    def _alive(self, key: _Key) -> ServerProcess | None:
        server = self._servers.get(key)
        if server is not None and not server.alive():
            self._servers.pop(key).retire()
            return None
        return server

    def _start(self, key: _Key, lab: Lab, reference: Path) -> ServerProcess:
        setup = Setup(
            public=lab.public.resolve(),
            reference=reference.resolve(),
            tier=self._tier,
            minimum_tier=self._minimum_tier,
            idle=self._idle,
            conceal=self._conceal,
        )
        server = self._servers[key] = ServerProcess(setup)
        return server

    def _retire_others(self, key: _Key) -> None:
        """Let go of the same lab as it was before, and of the labs not graded for longest."""
        outdated = [other for other in self._servers if other[0] == key[0] and other != key]
        surplus = list(self._servers)[:-_MAX_LABS]
        for other in {*outdated, *surplus}:
            self._servers.pop(other).retire()

    def close(self) -> None:
        """End every server, and whatever still runs in it."""
        with self._guard:
            while self._servers:
                self._servers.popitem()[1].stop()
