"""What the upload form shows: which files are asked for, and whether anything may be sent now."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from grader.api import Catalogue, ManifestError, SubmittedFile, UnknownAssignment
from portal.courses.models import Enrolment, Offering
from portal.labs.service import Allowance, Refused, allowance_of, check_allowed
from portal.platform.language import Phrase, lazy
from portal.standings.late_days import late_days_for
from portal.standings.rubric import is_by_rank
from portal.teams.parties import conditions_here, party_of

_SCRIPT = {
    "bytes": lazy("{size} bytes"),
    "empty": lazy("empty"),
    "saveFirst": lazy("{file}: save your work first"),
    "tooLarge": lazy("too large"),
    "atMost": lazy("{file}: this lab takes at most {limit} MB"),
    "graded": lazy("will be graded"),
    "under": lazy("{file} as {path}"),
    "opened": lazy("will be opened"),
    "shownLater": lazy("{file}: what it holds is shown after you send it"),
    "missing": lazy("not chosen"),
    "askedFor": lazy("{file} is asked for"),
    "problem": lazy("problem"),
    "lookAgain": lazy("look again"),
    "ignored": lazy("not graded"),
    "notAskedFor": lazy("{file}: this lab does not ask for it"),
    "chosen": lazy("chosen"),
    "waits": lazy("Choose these too, then submit: {files}"),
    "same": lazy("nothing new"),
    "sameResult": lazy("Its result"),
    "sending": lazy("Sending…"),
    "submit": lazy("Submit for grading"),
}


@dataclass(frozen=True)
class UploadForm:
    """Everything the form needs."""

    offering_id: int
    client_key: str
    files: tuple[SubmittedFile, ...]
    upload_mb: float
    closed: bool  # sent now, it would come after uploads are taken
    late: bool  # sent now, it would come after the due date
    keeps: Decimal  # the share of its points that an upload sent now keeps
    late_days: int  # that it would take
    pledge: str  # what the sender has to agree to; "" for nothing
    allowance: Allowance | None  # None: no limits apply to the sender
    score_alone: bool  # sent now, it is past the day's limit and shows its score alone
    refusal: Phrase | None  # why nothing can be sent now; None if it can

    @property
    def pledge_key(self) -> str:
        """What the form sends of the pledge, so that the one agreed to is the one that was read."""
        return hashlib.sha256(self.pledge.encode()).hexdigest()[:16]

    @property
    def words(self) -> dict[str, str]:
        """What the form's script says."""
        return {name: str(phrase) for name, phrase in _SCRIPT.items()}


def upload_form(
    session: Session,
    catalogue: Catalogue,
    offering: Offering,
    enrolment: Enrolment | None,
    *,
    is_staff: bool,
    now: datetime,
) -> UploadForm:
    """Build the form of an offering for one person."""
    files: tuple[SubmittedFile, ...] = ()
    upload_mb = 0.0
    refusal, score_alone = _judged(session, offering, enrolment, is_staff=is_staff, now=now)
    try:
        assignment = catalogue.get(offering.assignment_slug or "").assignment
        if is_by_rank(catalogue, offering):
            refusal = lazy("This is a competition: enter your predictions on its page.")
        else:
            files, upload_mb = assignment.files, assignment.limits.upload_mb
    except (UnknownAssignment, ManifestError):
        refusal = lazy("This lab takes no uploads at the moment. Tell your instructor, please.")
    own = conditions_here(session, offering, enrolment.id if enrolment else None)
    allowance, late_days = None, 0
    if enrolment is not None and not is_staff:
        party = party_of(session, offering, enrolment.id)
        allowance = allowance_of(session, party, offering, own, now=now)
        at_hand = late_days_for(session, enrolment, offering)
        late_days = own.late_days_to_spend(now, at_hand)
    return UploadForm(
        offering_id=offering.id,
        client_key=str(uuid.uuid4()),
        files=files,
        upload_mb=upload_mb,
        closed=own.is_closed(now),
        late=own.is_late(now),
        keeps=own.late_factor(now, late_days),
        late_days=late_days,
        pledge="" if is_staff else offering.term.pledge,
        allowance=allowance,
        score_alone=score_alone,
        refusal=refusal,
    )


def _judged(
    session: Session,
    offering: Offering,
    enrolment: Enrolment | None,
    *,
    is_staff: bool,
    now: datetime,
) -> tuple[Phrase | None, bool]:
    """Return why nothing can be sent now, and whether it would show its score alone."""
    if enrolment is None:
        return lazy(
            "You are not enrolled in this term. To try the lab out, enrol yourself as staff."
        ), False
    if is_staff:
        return None, False
    try:
        party = party_of(session, offering, enrolment.id)
        return None, check_allowed(session, party, offering, now=now)
    except Refused as refused:
        return refused.reason, False
