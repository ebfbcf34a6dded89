"""What a worker grades: an upload as the portal stored it, by the lab as it stands now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.orm import Session

from grader.api import Catalogue, GradingPool, GradingProgress, Lab, Report, receive_bytes
from grader.api import Submission as AcceptedFiles
from portal.courses.variants import Lot
from portal.platform.config import PortalConfig
from portal.platform.store import Store
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
    upload: AcceptedFiles
    variants: Lot


Grade = Callable[[Work, Callable[[GradingProgress], None]], Graded]


@contextmanager
def engine_grading(config: PortalConfig, jobs: int) -> Iterator[Grade]:
    """Give the engine's grading, for `jobs` at a time, with this installation's key and least tier.

    What it keeps warm ends with the block.
    """
    with GradingPool(jobs=jobs, minimum_tier=config.minimum_tier) as pool:

        def grade_work(work: Work, on_progress: Callable[[GradingProgress], None]) -> Graded:
            return pool.grade(
                work.lab,
                work.upload,
                key=config.grading_key,
                variant=work.variants.draw(config.grading_key),
                on_progress=on_progress,
            )

        yield grade_work


@dataclass(frozen=True)
class Order:
    """Which upload is to be graded by which lab: what the database knows of a `Work`."""

    assignment_slug: str
    variants: Lot
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
        variants=Lot.of(offering, submission.enrolment.user_id),
        filename=submission.filename,
        upload_sha256=submission.upload_sha256,
    )


def load_work(order: Order, catalogue: Catalogue, store: Store) -> Work:
    """Read the lab and the stored bytes. Whatever goes wrong here is our fault, not the student's.

    Raises UnknownAssignment, ManifestError, UnknownDigest or Rejected.
    """
    lab = catalogue.get(order.assignment_slug)
    upload = receive_bytes(order.filename, store.get(order.upload_sha256), lab.assignment)
    return Work(lab, upload, order.variants)
