"""What the caller asks of a grading server and what it gets: between processes of ours."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from grader.grading.cache import Charge, Entry, Kept, Recall
from grader.intake.submission import AcceptedFile, Submission
from grader.report.report import Outcome, Report


class Setup(BaseModel):
    """One server: the lab whose suite it holds, and how its sandboxes are made."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public: Path
    reference: Path
    tier: int | None
    minimum_tier: int | None
    idle: int  # empty sandboxes of each kind to keep ready
    conceal: tuple[Path, ...] = ()  # folders that no sandbox may see, beside the reference


class GradingJob(BaseModel):
    """One submission to grade."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str  # hex
    variant: str | None
    name: str
    files: dict[str, str]  # path -> base64
    ignored: tuple[str, ...]
    notices: tuple[str, ...]
    only: tuple[str, ...] = ()  # ids of the tests to run, in this order; empty for the suite
    stop_at_first_loss: bool = False  # run no test after one that lost points
    inputs_of: str | None = None  # digest of another submission whose hidden inputs to draw
    probe: str = ""  # attribute of the submission's modules to read after each test
    data: dict[str, str] = {}  # digests of the data that the variant reads
    served: tuple[Entry, ...] = ()  # results of an earlier run, to be used instead of running
    charges: dict[str, Charge] = {}  # what these would have cost before each of the other tests

    @classmethod
    def describe(
        cls,
        submission: Submission,
        *,
        key: bytes,
        variant: str | None,
        only: tuple[str, ...] = (),
        stop_at_first_loss: bool = False,
        inputs_of: str | None = None,
        probe: str = "",
    ) -> Self:
        """Pack a submission and its circumstances."""
        return cls(
            key=key.hex(),
            variant=variant,
            name=submission.name,
            files={f.path: base64.b64encode(f.content).decode() for f in submission.files},
            ignored=submission.ignored,
            notices=submission.notices,
            only=only,
            stop_at_first_loss=stop_at_first_loss,
            inputs_of=inputs_of,
            probe=probe,
        )

    def serving(self, recall: Recall) -> Self:
        """Return the job with the results of an earlier run, to run only the other tests."""
        served = tuple(entry.model_copy(update={"pictures": {}}) for entry in recall.in_order)
        return self.model_copy(update={"served": served, "charges": recall.charges})

    def submission(self) -> Submission:
        """Unpack the submission."""
        return Submission(
            name=self.name,
            files=tuple(
                AcceptedFile(path, base64.b64decode(content))
                for path, content in self.files.items()
            ),
            ignored=self.ignored,
            notices=self.notices,
        )


class WholeRun(BaseModel):
    """What a run of the whole suite came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    report: Report
    pictures: dict[str, str]  # SHA-256 -> base64
    kept: dict[str, Kept]  # by the id of each test whose result may be used again


class PartialRun(BaseModel):
    """What a run of some tests came to. Part of a suite has no score, so there is no report."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcomes: dict[str, Outcome]  # by the test's id, those that were needed included
    credits: dict[str, float]  # the share of its points that each test earned
    measured: dict[str, dict[str, float]]  # by the test's id, then by the figure's name
    readings: dict[str, dict[str, tuple[str, ...]]]  # of the probe: by test, then by module
    first_loss: str | None  # the test that ended a run which was to stop at the first loss
    cpu_seconds: float  # of the submission's own code
