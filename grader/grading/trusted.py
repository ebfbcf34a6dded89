"""The trusted process: one per grading run, a fork of the server that holds suite and reference.

It never imports, unpickles, renders or puts on a path anything of the student's. What it needs of
sandboxes it asks of the server, which also removes them, however this process ends.
"""

from __future__ import annotations

import base64
import os
import signal
import sys
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from grader.errors import GradingError, ProctorError, SandboxError
from grader.grading.events import GradingProgress
from grader.grading.harness.judging import TestJudge
from grader.grading.harness.own_work import limit_memory
from grader.grading.harness.run import RUN, SuiteRun
from grader.grading.harness.so_far import RunSoFar
from grader.grading.harness.suite import LoadedSuite
from grader.grading.job import GradingJob, PartialRun, WholeRun
from grader.grading.reports import environment, graded_report, kept_results
from grader.grading.ungraded import fault_report
from grader.report.report import Outcome, Report, RunStatus
from grader.sandbox import Cell, Tier
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.host import clock
from grader.sandbox.process_tree import ProcessTree

# Times the longest hold, which ends a run long before, also one that always stood in line.
_LAST_RESORT = 8
_LEAST_MEMORY_MB = 1024  # the largest value that may come, and room to work on it


class TrustedRun:
    """One job in a process of its own, which finds itself within pytest's run loop.

    It is a plugin of the session that the server began: it says which tests are run, and when
    pytest is done it sends what they came to and ends the process.
    """

    def __init__(
        self,
        suite: LoadedSuite,
        job: GradingJob,
        *,
        tier: Tier,
        suite_digest: str,
        caller: MessageSocket,
        server: MessageSocket,
        so_far: RunSoFar,
    ) -> None:
        """Take a job, or go on with one whose process has ended.

        The kernel ends a process that never gets to its end. The caller is sent progress and the
        result; the server is asked for sandboxes, and told what each test came to.
        """
        signal.alarm(int(_LAST_RESORT * suite.assignment.limits.longest_hold_seconds))
        # Of the sandboxes each is followed by itself; what stands in line here keeps them waiting.
        clock.follow(ProcessTree([os.getpid()]).queued_seconds)
        limit_memory(max(_LEAST_MEMORY_MB, suite.assignment.limits.memory_mb))
        self._so_far = so_far
        self._suite = suite
        self._job = job
        self._tier = tier
        self._suite_digest = suite_digest
        self._caller = caller
        self._server = server
        self._run = SuiteRun(suite, job, self._take, so_far)

    def begin(self, session: pytest.Session) -> None:
        """Let the session run this job's tests, with the submission moved in."""
        run = self._run
        session.config.stash[RUN] = run
        session.config.pluginmanager.register(TestJudge(run, self))
        session.config.pluginmanager.register(self)
        items = {item.nodeid: item for item in session.items}
        session.items[:] = [items[spec.id] for spec in run.due()]
        self._tell()
        try:
            run.move_in()
        except SandboxError as error:
            run.faults.append(str(error))
            session.items.clear()
        self._server.send({"imported": run.import_failures()})

    def begins(self, test_id: str) -> None:
        """Tell the server which test it is, should this process end in it."""
        self._server.send({"begins": test_id})

    def ends(self, test_id: str) -> None:
        """Tell the server what the test came to, and the caller how far the run is."""
        self._server.send({"ends": self._run.told(test_id).model_dump(mode="json")})
        self._tell(test_id, self._run.verdict(test_id).outcome)

    def _tell(self, test_id: str = "", outcome: str = "") -> None:
        run = self._run
        news = GradingProgress(run.done, len(run.specs), run.share, test_id, outcome)
        self._caller.send({"progress": news.as_dict()})

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

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Generator[None, object, object]:
        """Send the result and end the process: nothing of the server's is tidied up from here."""
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self._run.faults.append(f"pytest ended with {exitstatus!r}")
        try:
            yield
        except BaseException:
            self._run.faults.append(traceback.format_exc())
        self._finish()
        sys.stdout.flush()
        os._exit(0)

    def _finish(self) -> None:
        self._run.sandboxes.close()
        if self._job.only:
            self._caller.send(self._part())
            return
        report, pictures = self._report()
        run = WholeRun(
            report=report,
            pictures={name: base64.b64encode(data).decode() for name, data in pictures.items()},
            kept=kept_results(self._run) if report.status is RunStatus.GRADED else {},
        )
        self._caller.send(run.model_dump(mode="json"))

    def _part(self) -> dict[str, Any]:
        # Who asks for some tests is trying the suite: one that cannot judge is to be mended.
        faults = [*self._run.faults, *self._unjudged()]
        if faults:
            return {"fault": "\n\n".join(faults)}
        run = PartialRun(
            outcomes={name: self._run.verdict(name).outcome for name in self._run.specs},
            credits={name: self._run.verdict(name).credit for name in self._run.specs},
            measured={name: self._run.verdict(name).measured for name in self._run.specs},
            readings=self._run.probe.readings,
            first_loss=self._run.first_loss,
            cpu_seconds=self._run.sandboxes.cpu_seconds(),
        )
        return run.model_dump(mode="json")

    def _unjudged(self) -> Iterator[str]:
        for name in self._run.specs:
            verdict = self._run.verdict(name)
            if verdict.outcome is Outcome.UNJUDGED:
                yield f"{name} could not judge: {verdict.detail}"

    def _report(self) -> tuple[Report, dict[str, bytes]]:
        with self._faults() as faults:
            if self._run.faults:
                raise GradingError("\n\n".join(self._run.faults))
            report = graded_report(
                self._run,
                tier=self._tier,
                suite_digest=self._suite_digest,
                started_at=self._so_far.started_at,
            )
            wall = (datetime.now(UTC) - self._so_far.started_at).total_seconds()
            return report.model_copy(update={"wall_seconds": round(wall, 3)}), self._run.pictures
        report = fault_report(
            self._suite.assignment,
            self._run.submission,
            faults[0],
            started_at=self._so_far.started_at,
            environment=environment(self._tier, self._job.data),
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
