"""What a worker grades: an upload as the portal stored it, by the lab as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from grader import submission as intake
from grader.catalogue import Catalogue, Lab
from grader.grading import Progress, grade
from grader.report import Report
from grader.submission.model import Submission as Upload
from portal.config import PortalConfig
from portal.store import Store
from portal.submissions.models import Submission


class Graded(Protocol):
    """What grading yields: a report, and the pictures it names by their digests."""

    @property
    def report(self) -> Report: ...  # noqa: D102
    @property
    def artifacts(self) -> Mapping[str, bytes]: ...  # noqa: D102


@dataclass(frozen=True)
class Work:
    """One grading, ready to begin."""

    lab: Lab
    upload: Upload
    variant: str | None


Grade = Callable[[Work, Callable[[Progress], None]], Graded]


def grade_by_engine(config: PortalConfig) -> Grade:
    """Return the engine's `grade` with this installation's key and least sandbox tier."""

    def grade_work(work: Work, on_progress: Callable[[Progress], None]) -> Graded:
        return grade(
            work.lab,
            work.upload,
            key=config.grading_key,
            variant=work.variant,
            minimum_tier=config.minimum_tier,
            on_progress=on_progress,
        )

    return grade_work


@dataclass(frozen=True)
class Order:
    """Which upload is to be graded by which lab: what the database knows of a `Work`."""

    assignment_slug: str
    variant: str | None
    filename: str
    upload_sha256: str


def read_order(session: Session, submission_id: str) -> Order:
    """Read what has to be graded; LookupError if the submission or its assignment is gone."""
    submission = session.get(Submission, submission_id)
    offering = submission.offering if submission else None
    if submission is None or offering is None or offering.assignment_slug is None:
        raise LookupError(f"submission {submission_id} has no assignment to be graded by")
    return Order(
        assignment_slug=offering.assignment_slug,
        variant=offering.variant,
        filename=submission.filename,
        upload_sha256=submission.upload_sha256,
    )


def load_work(order: Order, catalogue: Catalogue, store: Store) -> Work:
    """Read the lab and the stored bytes. Whatever goes wrong here is our fault, not the student's.

    Raises UnknownAssignment, ManifestError, UnknownDigest or Rejected.
    """
    lab = catalogue.get(order.assignment_slug)
    upload = intake.receive_bytes(order.filename, store.get(order.upload_sha256), lab.assignment)
    return Work(lab, upload, order.variant)
