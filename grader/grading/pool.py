"""The way in: grade a submission with a lab's whole suite, or run some of its tests."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from types import TracebackType
from typing import Self

from grader.errors import ProctorError
from grader.grading.cache import Memory, ResultCache
from grader.grading.collected import CollectedSuite
from grader.grading.events import GradingProgress
from grader.grading.job import GradingJob, PartialRun, WholeRun
from grader.grading.reports import recalled_report
from grader.grading.server_process import OnProgress
from grader.grading.servers import WarmServers
from grader.grading.ungraded import fault_report
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab
from grader.lab.data import data_digests
from grader.report.report import Report
from grader.sandbox import Tier, confinement
from grader.sandbox.pool import idle_count


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
        self._tier = tier
        self._minimum_tier = minimum_tier
        self._cache = cache
        self._servers = WarmServers(
            idle=idle_count(jobs),
            tier=tier,
            minimum_tier=minimum_tier,
            conceal=(cache.folder.resolve(),) if cache else (),
        )

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
                return _graded(self._run(lab, job, on_progress))
            return self._grade_from(
                self._cache, lab, submission, job, on_progress=on_progress, started_at=started_at
            )
        except ProctorError as error:
            return GradedSubmission(
                fault_report(lab.assignment, submission, str(error), started_at=started_at)
            )

    def run_tests(
        self,
        lab: Lab,
        submission: Submission,
        tests: tuple[str, ...],
        *,
        key: bytes,
        variant: str | None = None,
        stop_at_first_loss: bool = False,
        inputs_of: str | None = None,
        probe: str = "",
    ) -> PartialRun:
        """Run some tests, by id and in this order (visible ones first), and those they need.

        After a test that lost points `stop_at_first_loss` runs none of the rest. With the digest
        of another submission in `inputs_of`, its hidden inputs are drawn. `probe` names an
        attribute (bytes) of the submission's modules to read after each test. No result comes
        from a cache. Raises GradingError after a fault of ours.
        """
        job = GradingJob.describe(
            submission,
            key=key,
            variant=variant,
            only=tests,
            stop_at_first_loss=stop_at_first_loss,
            inputs_of=inputs_of,
            probe=probe,
        )
        return PartialRun.model_validate(self._servers.run(lab, job, lambda progress: None))

    def collected(self, lab: Lab) -> CollectedSuite:
        """Return the tests of a lab's suite; GradingError if it cannot be collected."""
        return self._servers.collected(lab)

    def _run(self, lab: Lab, job: GradingJob, on_progress: OnProgress) -> WholeRun:
        return WholeRun.model_validate(self._servers.run(lab, job, on_progress))

    def _grade_from(
        self,
        cache: ResultCache,
        lab: Lab,
        submission: Submission,
        job: GradingJob,
        *,
        on_progress: OnProgress,
        started_at: datetime,
    ) -> GradedSubmission:
        """Run the tests whose results are not known; no server is asked if all of them are."""
        tier = self.tier
        key = bytes.fromhex(job.key)
        memory = Memory(cache, lab, submission, key=key, variant=job.variant, tier=tier)
        recall = memory.recall(memory.collected() or memory.learn(self.collected(lab)))
        if recall.complete:
            on_progress(GradingProgress(len(recall.served), len(recall.served), 1.0))
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
            return GradedSubmission(report, recall.pictures)
        run, pictures = self._run(lab, job.serving(recall), on_progress), recall.pictures
        if recall.served and (memory.outdated or not recall.fits(run.report)):
            run, pictures = self._run(lab, job, on_progress), {}
        graded = _graded(run, pictures)
        memory.keep(graded.report, graded.artifacts, run.kept)
        return graded

    @cached_property
    def tier(self) -> Tier:
        """The sandbox tier that servers use; SandboxError if it is weaker than demanded."""
        wanted, minimum = (
            None if number is None else Tier(number) for number in (self._tier, self._minimum_tier)
        )
        return confinement(wanted, minimum).tier

    def close(self) -> None:
        """End every server, and whatever still runs in it."""
        self._servers.close()
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


def _graded(run: WholeRun, recalled: Mapping[str, bytes] | None = None) -> GradedSubmission:
    """Return what a run came to, with the pictures of the results that were `recalled` for it."""
    drawn = {name: base64.b64decode(data) for name, data in run.pictures.items()}
    return GradedSubmission(run.report, {**(recalled or {}), **drawn})


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
