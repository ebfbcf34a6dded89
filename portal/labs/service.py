"""Taking an upload: deadlines, attempts, the row, its run and its job in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from portal.courses.models import AttemptPolicy, Enrolment, Offering
from portal.courses.policy import Conditions, OfferingState, day_of
from portal.grants.service import conditions_of_team
from portal.labs.resubmission import SentBefore, sent_before
from portal.platform.engine import DEFAULT_QUEUE, JobEngine
from portal.platform.errors import Invalid
from portal.platform.formats import Moment
from portal.platform.language import Phrase, lazy
from portal.runs import service as runs
from portal.runs.models import FRESH, GradingRun, RunState
from portal.submissions.arrival import Upload
from portal.submissions.members import sent_by, sent_by_no_other
from portal.submissions.models import Submission, SubmissionMember
from portal.teams.parties import Party, party_of
from portal.teams.service import lock, size_of

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
    again: bool = False,
) -> BookedUpload:
    """Book an upload whose bytes are already in the store; the caller commits.

    The same `client_key` with the same bytes is the same submission, whenever and however often
    it comes. Raises Refused outside the dates or past the attempts, and SentBefore if a student's
    files are an attempt already, unless they said to grade them once more (`again`). All of it is
    judged here, under the lock, so that uploads at the same instant cannot slip through together.
    """
    offering = _lock(session, sender.enrolment_id, offering_id)
    key, known = find_known(session, sender.enrolment_id, offering_id, client_key, upload.sha256)
    if known is not None:
        return BookedUpload(known, created=False)
    if not sender.is_staff and not again:
        earlier = sent_before(session, sender.enrolment_id, offering_id, upload.content_digest)
        if earlier is not None:
            raise SentBefore(earlier)
    party = party_of(session, offering, sender.enrolment_id)
    superseded = runs.supersede(session, party.members, offering, now=now)
    if not sender.is_staff and check_allowed(session, party, offering, now=now):
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
        party,
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
    party: Party,
    *,
    suite_digest: str,
    queue: str,
    now: datetime,
    is_staff: bool = False,
) -> Submission:
    """Add a submission as the next attempt of those who send it, with its run and the run's job."""
    submission.id = str(uuid.uuid4())
    submission.team_id = party.team_id
    submission.members = [SubmissionMember(enrolment_id=one) for one in party.members]
    submission.attempt = _next_attempt(session, party, submission.offering_id)
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


def check_allowed(session: Session, party: Party, offering: Offering, *, now: datetime) -> bool:
    """Raise Refused if an upload at `now` is too early, too late or once too often.

    Tells whether it is past the day's limit, in a lab that takes it then and shows its score alone.
    """
    zone = ZoneInfo(offering.term.timezone)
    own = conditions_of_team(session, party.members, offering)
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
    allowance = allowance_of(session, party, offering, own, now=now)
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
    session: Session, party: Party, offering: Offering, own: Conditions, *, now: datetime
) -> Allowance:
    """Count the attempts of a party under its conditions; a day begins at the course's midnight.

    Against a team counts what any of its members has had a part in, in this team, in another or
    alone: who leaves and who merges gains no attempt by it.

    What was replaced before it was graded, or failed through our fault, is not counted; nor is
    what still waits and would be replaced by the next upload, where only the last one counts.
    """
    midnight, next_midnight = day_of(now, ZoneInfo(offering.term.timezone))
    counted = (
        select(func.count(Submission.id))
        .join(GradingRun, GradingRun.submission_id == Submission.id)
        .where(
            sent_by(party.members, offering.id),
            GradingRun.reason_key == FRESH,
            GradingRun.state.not_in(FREE_STATES),
        )
    )
    if offering.policy is AttemptPolicy.LAST:
        counted = counted.where(
            or_(GradingRun.state != RunState.QUEUED, ~sent_by_no_other(party.members))
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


def _lock(session: Session, enrolment_id: int, offering_id: int) -> Offering:
    """Let one upload of a student, or of a lab's teams, be judged at a time.

    SQLite lets only one write anyway. Whoever changes a team holds the same lock of the lab.
    """
    offering = session.get_one(Offering, offering_id)
    if size_of(offering) > 1:
        return lock(session, offering_id)
    session.execute(select(Enrolment.id).where(Enrolment.id == enrolment_id).with_for_update())
    return offering


def _next_attempt(session: Session, party: Party, offering_id: int) -> int:
    last = session.scalar(
        select(func.max(Submission.attempt)).where(sent_by(party.members, offering_id))
    )
    return (last or 0) + 1


def _local(instant: datetime, zone: ZoneInfo) -> Moment:
    return Moment(instant, zone.key)
