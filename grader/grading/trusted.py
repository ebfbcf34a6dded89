"""The trusted process: one per grading run, a fork of the server that holds suite and reference.

It never imports, unpickles, renders or puts on a path anything of the student's. What it needs of
sandboxes it asks of the server, which also removes them, however this process ends.
"""

from __future__ import annotations

import base64
import signal
import socket
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from grader.errors import GradingError, ProctorError, SandboxError
from grader.grading.events import GradingProgress
from grader.grading.harness.run import SuiteRun
from grader.grading.job import GradingJob, PartialRun, WholeRun
from grader.grading.reports import environment, graded_report, kept_results
from grader.grading.ungraded import fault_report
from grader.lab.catalogue import Lab
from grader.report.report import Report, RunStatus
from grader.sandbox import Cell
from grader.sandbox.guest.messages import MessageSocket

_WALL_PER_CPU_SECOND = 10
_WALL_GRACE_SECONDS = 600.0


class TrustedRun:
    """One job in its own process, around the tests that pytest runs."""

    def __init__(
        self,
        lab: Lab,
        job: GradingJob,
        run: SuiteRun,
        answers: MessageSocket,
        server: MessageSocket,
        digest: str,
    ) -> None:
        self._lab = lab
        self._job = job
        self._run = run
        self._answers = answers
        self._server = server
        self._digest = digest
        self._started_at = datetime.now(UTC)

    def begin(self) -> None:
        """Bind the suite to this job; the kernel ends a run that never does."""
        limit = self._lab.assignment.limits.cpu_seconds * _WALL_PER_CPU_SECOND
        signal.alarm(int(limit + _WALL_GRACE_SECONDS))
        self._run.begin(
            self._job.submission(),
            key=bytes.fromhex(self._job.key),
            variant=self._lab.assignment.variant(self._job.variant),
            variant_name=self._job.variant or self._lab.assignment.default_variant,
            supply=self._take,
            only=self._job.only,
            stop_at_first_loss=self._job.stop_at_first_loss,
            inputs_of=self._job.inputs_of,
            served={entry.report.id: entry.report.outcome for entry in self._job.served},
            charges=self._job.charges,
            on_test=self._tell,
        )

    def _tell(self, *news: Any) -> None:
        self._answers.send({"progress": GradingProgress(*news).as_dict()})

    def _take(self, hide: tuple[str, ...]) -> Cell:
        """Ask the server for an empty sandbox without the libraries in `hide`."""
        self._server.send({"hide": hide})
        answer = self._server.receive()
        if answer is None:
            raise SandboxError("the server that keeps the sandboxes is gone")
        known, fds = answer
        if "fault" in known:
            raise SandboxError(known["fault"])
        return Cell.received(known, fds)

    def finish(self) -> None:
        """Send what the run came to."""
        self._run.close()
        if self._job.only:
            self._answers.send(self._part())
            return
        report, pictures = self._report()
        run = WholeRun(
            report=report,
            pictures={name: base64.b64encode(data).decode() for name, data in pictures.items()},
            kept=kept_results(self._run) if report.status is RunStatus.GRADED else {},
        )
        self._answers.send(run.model_dump(mode="json"))

    def _part(self) -> dict[str, Any]:
        if self._run.faults:
            return {"fault": "\n\n".join(self._run.faults)}
        run = PartialRun(
            outcomes={name: self._run.verdict(name).outcome for name in self._run.specs},
            measured={name: self._run.verdict(name).measured for name in self._run.specs},
            first_loss=self._run.first_loss,
            cpu_seconds=self._run.cpu_seconds(),
        )
        return run.model_dump(mode="json")

    def _report(self) -> tuple[Report, dict[str, bytes]]:
        with self._faults() as faults:
            if self._run.faults:
                raise GradingError("\n\n".join(self._run.faults))
            report = graded_report(
                self._run,
                variant=self._job.variant,
                suite_digest=self._digest,
                data=self._job.data,
                served=self._job.served,
                started_at=self._started_at,
            )
            wall = (datetime.now(UTC) - self._started_at).total_seconds()
            return report.model_copy(update={"wall_seconds": round(wall, 3)}), self._run.pictures
        report = fault_report(
            self._lab.assignment,
            self._job.submission(),
            faults[0],
            started_at=self._started_at,
            environment=environment(self._run.tier, self._job.data),
        )
        return report, {}

    @contextmanager
    def _faults(self) -> Iterator[list[str]]:
        """Catch whatever goes wrong on our side and keep its text."""
        found: list[str] = []
        try:
            yield found
        except ProctorError as error:
            found.append(str(error))
        except Exception:
            found.append(traceback.format_exc())


def channel() -> tuple[MessageSocket, socket.socket]:
    """Return the server's end and a run's end of a socket between them."""
    ours, theirs = socket.socketpair()
    return MessageSocket(ours), theirs
