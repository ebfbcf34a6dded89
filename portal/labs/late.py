"""Uploads that came after a lab had closed: kept with the instant they came, for staff to accept.

Whoever was promised more time, or had no network at 23:59, loses nothing by sending. An accepted
one is a submission received when it came, graded like any other.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.audit.service import record
from portal.labs.service import book
from portal.platform.engine import JobEngine
from portal.submissions.arrival import Upload
from portal.submissions.models import LateUpload, Submission
from portal.teams.parties import party_of

MOST_KEPT = 5  # of one student in one lab


def has_room(session: Session, enrolment_id: int, offering_id: int) -> bool:
    """Tell whether another late upload of a student in a lab would be kept."""
    mine = (LateUpload.enrolment_id == enrolment_id, LateUpload.offering_id == offering_id)
    return (session.scalar(select(func.count(LateUpload.id)).where(*mine)) or 0) < MOST_KEPT


def keep(
    session: Session, enrolment_id: int, offering_id: int, upload: Upload, *, now: datetime
) -> bool:
    """Keep an upload whose bytes are in the store; False if enough of the student's are kept.

    The same files sent again are kept once.
    """
    mine = (LateUpload.enrolment_id == enrolment_id, LateUpload.offering_id == offering_id)
    same = select(LateUpload.id).where(*mine, LateUpload.upload_sha256 == upload.sha256)
    if session.scalar(same.limit(1)) is not None:
        return True
    if not has_room(session, enrolment_id, offering_id):
        return False
    session.add(
        LateUpload(
            id=str(uuid.uuid4()),
            enrolment_id=enrolment_id,
            offering_id=offering_id,
            **upload.columns(),
            received_at=now,
        )
    )
    return True


def accept(
    session: Session,
    jobs: JobEngine,
    kept: LateUpload,
    *,
    suite_digest: str,
    queue: str,
    actor_id: int,
    now: datetime,
) -> Submission:
    """Make a kept upload a submission, received when it came; the same one if it is one already."""
    known = session.scalar(select(Submission).where(Submission.client_key == kept.client_key))
    if known is not None:
        return known
    submission = book(
        session,
        jobs,
        Submission(
            enrolment_id=kept.enrolment_id,
            offering_id=kept.offering_id,
            client_key=kept.client_key,
            upload_sha256=kept.upload_sha256,
            filename=kept.filename,
            size=kept.size,
            content_digest=kept.content_digest,
            intake=kept.intake,
            received_at=kept.received_at,
        ),
        party_of(session, kept.offering, kept.enrolment_id, until=kept.received_at),
        suite_digest=suite_digest,
        queue=queue,
        now=now,
    )
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="submission.accept_late",
        subject=f"submission:{submission.id}",
    )
    return submission
