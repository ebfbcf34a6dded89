"""Who may see a submission: whoever had a part in it when it was sent, and the term's staff."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from flask import abort
from sqlalchemy.orm import Session

from portal.courses.access import require_offering
from portal.courses.models import Enrolment
from portal.submissions.members import had_part
from portal.submissions.models import Submission


@dataclass(frozen=True)
class SubmissionAccess:
    """A submission that the logged-in person may see, and in which capacity."""

    submission: Submission
    whose: Enrolment  # whose score its pages tell: the reader's own; to staff, its sender's
    is_staff: bool


def require_submission(session: Session, submission_id: uuid.UUID) -> SubmissionAccess:
    """Return a submission to its members and the term's staff; else answer 404.

    The guard of everything that hangs on one: live page, result, pictures, receipt, upload. Who
    left the team later still had a part in what was sent before; who joined later had none.
    """
    submission = session.get(Submission, str(submission_id))
    if submission is None:
        abort(404)
    access = require_offering(session, submission.offering_id)  # an unpublished one is for staff
    if access.is_staff:
        return SubmissionAccess(submission, submission.enrolment, is_staff=True)
    if access.enrolment is None or not had_part(session, submission.id, access.enrolment.id):
        abort(404)
    return SubmissionAccess(submission, access.enrolment, is_staff=False)
