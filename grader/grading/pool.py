"""The caller's side of grading: servers kept warm, one for each lab, and the jobs they get."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from grader.errors import GradingError, ProctorError
from grader.grading.cache import Kept, Memory, ResultCache
from grader.grading.client import OnProgress, ServerProcess
from grader.grading.collected import CollectedSuite
from grader.grading.digest import suite_stamp
from grader.grading.events import GradingProgress
from grader.grading.job import GradingJob, Setup
from grader.grading.reports import recalled_report
from grader.grading.ungraded import fault_report
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.data import data_digests
from grader.report.report import Outcome, Report
from grader.sandbox import Tier, confinement
from grader.sandbox.pool import idle_count

_MAX_LABS = 4  # of which servers are kept; each holds torch two or three times


@dataclass(frozen=True)
class FirstLoss:
    """How far a run came that ends with the first test that loses points."""

    test: str | None  # its id; None if none lost any
    outcome: Outcome | None
    cpu_seconds: float  # of the submission's own code


@dataclass(frozen=True)
class Figures:
    """What some tests of a suite measured of a submission."""

    outcomes: dict[str, Outcome]  # by the test's id, those that were needed included
    measured: dict[str, dict[str, float]]  # by the test's id, then by the figure's name
    cpu_seconds: float  # of the submission's own code


@dataclass(frozen=True)
class GradedSubmission:
    """A grading run's report and the pictures it names, by SHA-256."""

    report: Report
    artifacts: dict[str, bytes] = field(default_factory=dict)


class GradingPool:
    """Grades submissions, from any thread; what it has started ends with it, or with its process.

    The first submission of a lab waits for a server that imports the suite, the reference and
    the libraries; those after it do not. A lab whose files have changed gets a new server.
    """

    def __init__(
        self,
        *,
        jobs: int = 1,
        tier: int | None = None,
        minimum_tier: int | None = None,
        cache: ResultCache | None = None,
    ) -> None:
        """Be ready for `jobs` submissions at a time.

        `tier` asks for one sandbox tier instead of the best; below `minimum_tier` nothing is
        graded. With a `cache`, only tests whose results are not known from it are run.
        """
        self._idle = idle_count(jobs)
        self._tier = tier
        self._minimum_tier = minimum_tier
        self._cache = cache
        self._found_tier: Tier | None = None
        self._servers: OrderedDict[tuple[Path, str], ServerProcess] = OrderedDict()
        self._guard = threading.Lock()

    def grade(
        self,
        lab: Lab,
        submission: Submission,
        *,
        key: bytes,
        variant: str | None = None,
        on_progress: OnProgress = lambda progress: None,
    ) -> GradedSubmission:
        """Grade a submission with the lab's hidden suite.

        `key` seeds the hidden inputs: the same key and submission give the same inputs. A fault
        of ours comes back as a report of status ``grader_error`` without a score, not as an
        exception.
        """
        started_at = datetime.now(UTC)
        job = GradingJob.describe(submission, key=key, variant=variant)
        try:
            if self._cache is None:
                return self._run(lab, job, on_progress)[0]
            return self._recall_or_run(self._cache, lab, submission, job, on_progress, started_at)
        except ProctorError as error:
            return GradedSubmission(
                fault_report(lab.assignment, submission, str(error), started_at=started_at)
            )

    def _run(
        self, lab: Lab, job: GradingJob, on_progress: OnProgress
    ) -> tuple[GradedSubmission, dict[str, Kept]]:
        answer = self._answer(lab, job, on_progress)
        pictures = {name: base64.b64decode(data) for name, data in answer["pictures"].items()}
        kept = {name: Kept.model_validate(one) for name, one in answer.get("kept", {}).items()}
        return GradedSubmission(Report.model_validate(answer["report"]), pictures), kept

    def _recall_or_run(
        self,
        cache: ResultCache,
        lab: Lab,
        submission: Submission,
        job: GradingJob,
        on_progress: OnProgress,
        started_at: datetime,
    ) -> GradedSubmission:
        """Run the tests whose results are not known; no server is asked if all of them are."""
        tier = self._chosen_tier()
        key = bytes.fromhex(job.key)
        memory = Memory(cache, lab, submission, key=key, variant=job.variant, tier=tier)
        recall = memory.recall(memory.collected() or memory.learn(self._collected(lab)))
        pictures = {
            name: base64.b64decode(data)
            for entry in recall.in_order
            for name, data in entry.pictures.items()
        }
        if recall.complete:
            on_progress(GradingProgress(len(recall.served), len(recall.served)))
            report = recalled_report(
                lab,
                submission,
                recall.in_order,
                variant=job.variant,
                suite_digest=memory.files.digest,
                data=data_digests(lab.assignment, job.variant),
                tier=tier,
                started_at=started_at,
            )
            return GradedSubmission(report, pictures)
        graded, kept = self._run(lab, job.serving(recall), on_progress)
        if recall.served and (memory.outdated or not recall.fits(graded.report)):
            graded, kept = self._run(lab, job, on_progress)
        else:
            graded = GradedSubmission(graded.report, pictures | graded.artifacts)
        memory.keep(graded.report, graded.artifacts, kept)
        return graded

    def _collected(self, lab: Lab) -> CollectedSuite:
        server = self._server(lab)
        try:
            return server.collected()
        finally:
            server.leave()

    def _chosen_tier(self) -> Tier:
        """Return the tier that servers use; SandboxError if it is weaker than demanded."""
        with self._guard:
            if self._found_tier is None:
                wanted, minimum = (
                    None if number is None else Tier(number)
                    for number in (self._tier, self._minimum_tier)
                )
                self._found_tier = confinement(wanted, minimum).tier
            return self._found_tier

    def measure(
        self,
        lab: Lab,
        submission: Submission,
        only: tuple[str, ...],
        *,
        key: bytes,
        variant: str | None = None,
        inputs_of: str | None = None,
    ) -> Figures | str:
        """Run only some tests (and those they need) and return the figures they recorded.

        With the digest of another submission in `inputs_of`, its hidden inputs are drawn. A fault
        of ours comes back as its text.
        """
        try:
            job = GradingJob.describe(
                submission, key=key, variant=variant, only=only, inputs_of=inputs_of
            )
            answer = self._answer(lab, job, lambda progress: None)
        except GradingError as error:
            return str(error)
        outcomes = {name: Outcome(value) for name, value in answer["outcomes"].items()}
        return Figures(outcomes, answer["measured"], answer["cpu_seconds"])

    def first_loss(
        self, lab: Lab, submission: Submission, order: tuple[str, ...], *, key: bytes
    ) -> FirstLoss | str:
        """Run tests in an order (visible ones first) and stop at the first that loses points.

        A fault of ours comes back as its text.
        """
        try:
            job = GradingJob.describe(
                submission, key=key, variant=None, only=order, stop_at_first_loss=True
            )
            answer = self._answer(lab, job, lambda progress: None)
        except GradingError as error:
            return str(error)
        test = answer["first_loss"]
        outcome = Outcome(answer["outcomes"][test]) if test else None
        return FirstLoss(test, outcome, answer["cpu_seconds"])

    def _answer(self, lab: Lab, job: GradingJob, on_progress: OnProgress) -> dict[str, Any]:
        data = data_digests(lab.assignment, job.variant)
        server = self._server(lab)
        try:
            return server.answer(job.model_copy(update={"data": data}), on_progress)
        finally:
            server.leave()

    def _server(self, lab: Lab) -> ServerProcess:
        """Return the lab's server, which the caller must `leave`."""
        if lab.reference is None:
            raise GradingError(f"{lab.assignment.slug}: no reference and no hidden suite here")
        key = (lab.public, suite_stamp(lab))
        with self._guard:
            server = self._servers.get(key)
            if server is not None and not server.alive():
                server.retire()
                server = None
            if server is None:
                server = self._servers[key] = ServerProcess(self._setup(lab, lab.reference))
            self._servers.move_to_end(key)
            server.enter()
            outdated = [k for k in self._servers if k[0] == lab.public and k != key]
            surplus = list(self._servers)[:-_MAX_LABS]
            for other in {*outdated, *surplus}:
                self._servers.pop(other).retire()
        return server

    def _setup(self, lab: Lab, reference: Path) -> Setup:
        return Setup(
            public=lab.public.resolve(),
            reference=reference.resolve(),
            tier=self._tier,
            minimum_tier=self._minimum_tier,
            idle=self._idle,
            conceal=(self._cache.folder.resolve(),) if self._cache else (),
        )

    def close(self) -> None:
        """End every server, and whatever still runs in it."""
        with self._guard:
            while self._servers:
                self._servers.popitem()[1].stop()
        if self._cache is not None:
            self._cache.close()

    def __enter__(self) -> Self:
        """Return the pool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        self.close()


def grade(
    lab: Lab,
    submission: Submission,
    *,
    key: bytes,
    variant: str | None = None,
    tier: int | None = None,
    minimum_tier: int | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> GradedSubmission:
    """Grade one submission with a pool of its own; see `GradingPool`."""
    with GradingPool(tier=tier, minimum_tier=minimum_tier) as pool:
        return pool.grade(lab, submission, key=key, variant=variant, on_progress=on_progress)
