"""What the result page shows: a submission, its run, and what of its report may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import (
    Catalogue,
    Outcome,
    Report,
    StudentArtifact,
    StudentItem,
    StudentReport,
    for_student,
)
from portal.courses.models import Enrolment, Offering, Term
from portal.courses.policy import Conditions
from portal.grants.service import conditions_of_all
from portal.results.groups import TestGroup, grouped
from portal.runs.models import GradingRun, Result
from portal.runs.status import Status, statuses
from portal.standings.attempts import Attempt, attempt_of
from portal.standings.scores import ScoreCard, score_for_student
from portal.submissions.arrival import ON_THE_WAY, Arrival
from portal.submissions.members import sent_by
from portal.submissions.models import Submission


@dataclass(frozen=True)
class ResultPage:
    """Everything the result page needs."""

    submission: Submission
    offering: Offering
    conditions: Conditions  # that hold for its members
    term: Term
    arrival: Arrival
    attempt: Attempt
    status: Status
    report: StudentReport | None
    changed: tuple[str, ...] | None  # against the attempt before; None if this is the first
    previous: Submission | None
    score: ScoreCard  # of its reader in the lab, as they may see it; to staff, of its sender
    whose: Enrolment  # whose score that is

    @property
    def counts(self) -> bool:
        """Whether this is the attempt that counts."""
        chosen = self.score.counted
        return chosen is not None and chosen.submission_id == self.submission.id

    @property
    def passed(self) -> int:
        """Tests that passed."""
        tests = self.report.tests if self.report else ()
        return sum(test.outcome is Outcome.PASSED for test in tests)

    def mark_of(self, item: StudentItem) -> Decimal | None:
        """Return what a person gave for an item, if its reader may see it; it counts here."""
        lines = self.score.marks if self.counts else ()
        return next((line.points for line in lines if line.item.id == item.id), None)

    @property
    def left_by_hand(self) -> float:
        """The most that a person can still give, beside what they have."""
        items = [item for part in self.report.parts for item in part.items] if self.report else []
        return sum(
            item.max_score
            for item in items
            if item.manual and item.score is None and not item.bonus and self.mark_of(item) is None
        )

    def groups_of(self, item: StudentItem) -> list[TestGroup]:
        """Return an item's tests for reading, those that lost points first."""
        tests = self.report.tests if self.report else ()
        return grouped(test for test in tests if test.number in item.tests)

    def pictures_of(self, group: TestGroup) -> list[StudentArtifact]:
        """Return the pictures some tests drew, as far as they may be seen."""
        artifacts = self.report.artifacts if self.report else ()
        numbers = {test.number for test in group.tests}
        return [artifact for artifact in artifacts if artifact.test in numbers]

    @staticmethod
    def state_of(item: StudentItem) -> str:
        """Return how much of an item's points there is: ``full``, ``some``, ``none``, ``open``."""
        if item.score is None:
            return "open"
        if item.score >= item.max_score:
            return "full"
        return "some" if item.score > 0 else "none"

    @property
    def first_loss(self) -> str | None:
        """The first item that lost points: where to start reading."""
        items = [item for part in self.report.parts for item in part.items] if self.report else []
        lost = (i.id for i in items if i.score is not None and i.score < i.max_score)
        return next(lost, None)


def result_page(
    session: Session,
    catalogue: Catalogue,
    submission: Submission,
    whose: Enrolment,
    *,
    now: datetime,
) -> ResultPage:
    """Read the page of a submission, as one of its members sees it at `now`."""
    attempt = attempt_of(session, submission)
    arrival = Arrival.model_validate_json(submission.intake)
    previous = _previous(session, submission, whose)
    changed = None
    if previous is not None:
        changed = arrival.changed_since(Arrival.model_validate_json(previous.intake))
    return ResultPage(
        submission=submission,
        offering=submission.offering,
        conditions=attempt.conditions,
        term=submission.offering.term,
        arrival=arrival,
        attempt=attempt,
        status=statuses(session, [attempt.run.id], now=now)[attempt.run.id],
        report=student_report(session, submission, attempt.result, now=now),
        changed=changed,
        previous=previous,
        score=score_for_student(session, whose, submission.offering, catalogue),
        whose=whose,
    )


def student_report(
    session: Session, submission: Submission, result: Result | None, *, now: datetime
) -> StudentReport | None:
    """Return what the student may see of a result at `now`; None without one.

    Details that open after the due date stay closed while uploads are still taken from anybody, or
    on their way since the last minute: who has an extension could be shown them. Those that open
    with published grades open with the lab's marks, and no earlier than that. Of an upload past
    the day's limit there are the points alone as long.
    """
    if result is None:
        return None
    closed = conditions_of_all(session, submission.offering).is_closed(now - ON_THE_WAY)
    report = for_student(
        Report.model_validate_json(result.report),
        due_passed=closed,
        published=closed and submission.offering.marks_published,
    )
    alone = Arrival.model_validate_json(submission.intake).score_alone
    return _points_alone(report) if alone and not closed else report


def pictures_of_all(session: Session, submission_id: str) -> set[str]:
    """Return the digests of the pictures that any run of a submission has drawn, for staff."""
    reports = session.scalars(
        select(Result.report)
        .join(GradingRun, GradingRun.id == Result.run_id)
        .where(GradingRun.submission_id == submission_id)
    )
    return {
        picture.sha256
        for report in reports
        for picture in Report.model_validate_json(report).artifacts
    }


def _points_alone(report: StudentReport) -> StudentReport:
    """Return a report with its score and that of each part, and nothing else that tests found."""
    parts = tuple(part.model_copy(update={"items": ()}) for part in report.parts)
    return report.model_copy(update={"parts": parts, "tests": (), "artifacts": ()})


def _previous(session: Session, submission: Submission, whose: Enrolment) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(
            sent_by([whose.id], submission.offering_id),
            Submission.attempt < submission.attempt,
        )
        .order_by(Submission.attempt.desc())
        .limit(1)
    )
