"""Taking an upload: deadlines, attempts, the row, its run and its job in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.courses.models import AttemptPolicy, Enrolment, Offering
from portal.courses.policy import Conditions, OfferingState, day_of
from portal.grants.service import conditions_for
from portal.platform.engine import DEFAULT_QUEUE, JobEngine
from portal.platform.errors import Invalid
from portal.platform.language import Phrase, lazy
from portal.runs import service as runs
from portal.runs.models import FRESH, GradingRun, RunState
from portal.submissions.arrival import Upload
from portal.submissions.models import Submission

FREE_STATES: tuple[RunState, ...] = (
    RunState.NEEDS_HUMAN,
    RunState.SUPERSEDED,
)  # of these the student saw no result


class Refused(Invalid):
    """An upload that comes too early, too late or once too often. Costs no attempt."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(str(reason))
        self.reason = reason


@dataclass(frozen=True)
class Sender:
    """Who submits. Staff try a lab out: neither dates nor attempts bind them."""

    enrolment_id: int
    is_staff: bool = False


@dataclass(frozen=True)
class BookedUpload:
    """What became of an upload."""

    submission: Submission
    created: bool  # False: this upload had arrived before, nothing was added
    superseded: tuple[str, ...] = ()  # runs whose jobs the caller may cancel after the commit


@dataclass(frozen=True)
class Allowance:
    """How many attempts have been used, and how many there are (None: no limit)."""

    used_today: int
    used_total: int
    conditions: Conditions
    next_day: datetime  # when the day's count starts anew

    @property
    def per_day(self) -> int | None:
        """Attempts a day; None: no limit."""
        return self.conditions.attempts_per_day

    @property
    def total(self) -> int | None:
        """Attempts in all; None: no limit."""
        return self.conditions.attempts_total

    @property
    def left(self) -> int | None:
        """Attempts that remain now; None: no limit."""
        return self.conditions.attempts_left(self.used_today, self.used_total)


def submit(
    session: Session,
    jobs: JobEngine,
    *,
    sender: Sender,
    offering_id: int,
    client_key: str,
    upload: Upload,
    suite_digest: str,
    now: datetime,
    queue: str = DEFAULT_QUEUE,
) -> BookedUpload:
    """Book an upload whose bytes are already in the store; the caller commits.

    The same `client_key` with the same bytes is the same submission, whenever and however often
    it comes. Raises Refused outside the dates or past the attempts; both are judged here, under
    the lock, so that uploads at the same instant cannot slip through together.
    """
    _lock(session, sender.enrolment_id)
    offering = session.get_one(Offering, offering_id)
    key, known = find_known(session, sender.enrolment_id, offering_id, client_key, upload.sha256)
    if known is not None:
        return BookedUpload(known, created=False)
    superseded = runs.supersede(session, sender.enrolment_id, offering, now=now)
    if not sender.is_staff and check_allowed(session, sender.enrolment_id, offering, now=now):
        upload = upload.past_limit()
    submission = book(
        session,
        jobs,
        Submission(
            enrolment_id=sender.enrolment_id,
            offering_id=offering_id,
            client_key=key,
            **upload.columns(),
            received_at=now,
        ),
        suite_digest=suite_digest,
        queue=queue,
        now=now,
        is_staff=sender.is_staff,
    )
    return BookedUpload(submission, created=True, superseded=tuple(superseded))


def book(
    session: Session,
    jobs: JobEngine,
    submission: Submission,
    *,
    suite_digest: str,
    queue: str,
    now: datetime,
    is_staff: bool = False,
) -> Submission:
    """Add a submission as its student's next attempt, with its run and the run's job."""
    submission.id = str(uuid.uuid4())
    submission.attempt = _next_attempt(session, submission.enrolment_id, submission.offering_id)
    session.add(submission)
    session.flush()
    runs.open_run(
        session,
        jobs,
        submission,
        suite_digest=suite_digest,
        base_priority=runs.PRIORITY_STAFF if is_staff else runs.PRIORITY_FRESH,
        now=now,
        queue=queue,
    )
    return submission


def check_allowed(
    session: Session, enrolment_id: int, offering: Offering, *, now: datetime
) -> bool:
    """Raise Refused if an upload at `now` is too early, too late or once too often.

    Tells whether it is past the day's limit, in a lab that takes it then and shows its score alone.
    """
    zone = ZoneInfo(offering.term.timezone)
    own = conditions_for(session, enrolment_id, offering)
    state = own.state(now)
    if state is OfferingState.NOT_YET:
        raise Refused(
            lazy("This lab opens at %(when)s. Come back then.", when=_local(own.opens_at, zone))
        )
    if state is OfferingState.CLOSED:
        raise Refused(
            lazy(
                "This lab closed at %(closed)s. "
                "Ask your instructor if you were promised more time.",
                closed=_local(own.closes_at, zone),
            )
        )
    allowance = allowance_of(session, enrolment_id, offering, own, now=now)
    if allowance.total is not None and allowance.used_total >= allowance.total:
        raise Refused(
            lazy("You have used all %(count)s attempts of this lab.", count=allowance.total)
        )
    past_limit = allowance.per_day is not None and allowance.used_today >= allowance.per_day
    if past_limit and not offering.score_past_limit:
        raise Refused(
            lazy(
                "You have used today's %(count)s attempts. The next ones come at %(when)s.",
                count=allowance.per_day,
                when=_local(allowance.next_day, zone),
            )
        )
    return past_limit


def too_late(own: Conditions, zone: ZoneInfo, *, came: datetime) -> Phrase:
    """Say to whoever sent something that it came after the lab had closed."""
    return lazy(
        "This lab closed at %(closed)s; your upload came at %(came)s. "
        "Ask your instructor if you were promised more time.",
        closed=_local(own.closes_at, zone),
        came=_local(came, zone),
    )


def allowance_of(
    session: Session, enrolment_id: int, offering: Offering, own: Conditions, *, now: datetime
) -> Allowance:
    """Count a student's attempts under their conditions; a day begins at the course's midnight.

    What was replaced before it was graded, or failed through our fault, is not counted; nor is
    what still waits and would be replaced by the next upload, where only the last one counts.
    """
    free = FREE_STATES
    if offering.policy is AttemptPolicy.LAST:
        free = (*free, RunState.QUEUED)
    midnight, next_midnight = day_of(now, ZoneInfo(offering.term.timezone))
    counted = (
        select(func.count(Submission.id))
        .join(GradingRun, GradingRun.submission_id == Submission.id)
        .where(
            Submission.enrolment_id == enrolment_id,
            Submission.offering_id == offering.id,
            GradingRun.reason_key == FRESH,
            GradingRun.state.not_in(free),
        )
    )
    return Allowance(
        used_today=session.scalar(counted.where(Submission.received_at >= midnight)) or 0,
        used_total=session.scalar(counted) or 0,
        conditions=own,
        next_day=next_midnight,
    )


def find_known(
    session: Session, enrolment_id: int, offering_id: int, client_key: str, sha256: str
) -> tuple[str, Submission | None]:
    """Return the key to book under, and the submission that already bears it.

    A page that was left and come back to sends its old key with new files. That is a new
    submission, so it gets a key of its own; its retries find it again.
    """
    for key in (client_key, f"{client_key[:40]}.{sha256[:16]}"):
        known = session.scalar(
            select(Submission).where(
                Submission.enrolment_id == enrolment_id,
                Submission.offering_id == offering_id,
                Submission.client_key == key,
            )
        )
        if known is None or known.upload_sha256 == sha256:
            return key, known
    raise Refused(lazy("This page is out of date. Reload it, then send your files again."))


def _lock(session: Session, enrolment_id: int) -> None:
    """Let one upload of a student be judged at a time; SQLite lets only one write anyway."""
    session.execute(select(Enrolment.id).where(Enrolment.id == enrolment_id).with_for_update())


def _next_attempt(session: Session, enrolment_id: int, offering_id: int) -> int:
    last = session.scalar(
        select(func.max(Submission.attempt)).where(
            Submission.enrolment_id == enrolment_id, Submission.offering_id == offering_id
        )
    )
    return (last or 0) + 1


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z (UTC%z)")
