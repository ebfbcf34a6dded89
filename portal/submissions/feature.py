"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Feature
from portal.submissions.models import LateUpload, Submission, SubmissionMember

FEATURE = Feature(name="submissions", models=(Submission, SubmissionMember, LateUpload))
