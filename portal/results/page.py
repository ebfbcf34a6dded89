"""What the result page shows: a submission, its run, and what of its report may be seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

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
from portal.courses.models import Offering, Term
from portal.courses.policy import Conditions
from portal.grants.service import conditions_for, conditions_of_all
from portal.results.groups import TestGroup, grouped
from portal.runs.models import Result
from portal.runs.status import Status, statuses
from portal.standings.attempts import Attempt, attempt_of
from portal.standings.scores import ScoreCard, score_for_student
from portal.submissions.arrival import Arrival
from portal.submissions.models import Submission

_ON_THE_WAY = timedelta(minutes=6)  # the longest that an upload may take to arrive


@dataclass(frozen=True)
class ResultPage:
    """Everything the result page needs."""

    submission: Submission
    offering: Offering
    conditions: Conditions  # that hold for its student
    term: Term
    arrival: Arrival
    attempt: Attempt
    status: Status
    report: StudentReport | None
    changed: tuple[str, ...] | None  # against the attempt before; None if this is the first
    previous: Submission | None
    score: ScoreCard  # of the student in the lab, as they may see it

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

    def groups_of(self, item: StudentItem) -> list[TestGroup]:
        """Return an item's tests for reading, those that lost points first."""
        tests = self.report.tests if self.report else ()
        return grouped(test for test in tests if test.number in item.tests)

    def pictures_of(self, group: TestGroup) -> list[StudentArtifact]:
        """Return the pictures some tests drew, as far as they may be seen."""
        artifacts = self.report.artifacts if self.report else ()
        numbers = {test.number for test in group.tests}
        return [artifact for artifact in artifacts if artifact.test in numbers]

    @property
    def first_loss(self) -> str | None:
        """The first item that lost points: where to start reading."""
        items = [item for part in self.report.parts for item in part.items] if self.report else []
        lost = (i.id for i in items if i.score is not None and i.score < i.max_score)
        return next(lost, None)


def result_page(
    session: Session, catalogue: Catalogue, submission: Submission, *, now: datetime
) -> ResultPage:
    """Read the page of a submission, as its student sees it at `now`."""
    attempt = attempt_of(session, submission)
    arrival = Arrival.model_validate_json(submission.intake)
    previous = _previous(session, submission)
    changed = None
    if previous is not None:
        changed = arrival.changed_since(Arrival.model_validate_json(previous.intake))
    return ResultPage(
        submission=submission,
        offering=submission.offering,
        conditions=conditions_for(session, submission.enrolment_id, submission.offering),
        term=submission.offering.term,
        arrival=arrival,
        attempt=attempt,
        status=statuses(session, [attempt.run.id], now=now)[attempt.run.id],
        report=student_report(session, submission, attempt.result, now=now),
        changed=changed,
        previous=previous,
        score=score_for_student(session, submission.enrolment, submission.offering, catalogue),
    )


def student_report(
    session: Session, submission: Submission, result: Result | None, *, now: datetime
) -> StudentReport | None:
    """Return what the student may see of a result at `now`; None without one.

    Details that open after the due date stay closed while uploads are still taken from anybody, or
    on their way since the last minute: who has an extension could be shown them. Those that open
    with published grades stay closed: grades are not published test by test. Of an upload past the
    day's limit there are the points alone as long.
    """
    if result is None:
        return None
    closed = conditions_of_all(session, submission.offering).is_closed(now - _ON_THE_WAY)
    report = for_student(
        Report.model_validate_json(result.report), due_passed=closed, published=False
    )
    alone = Arrival.model_validate_json(submission.intake).score_alone
    return _points_alone(report) if alone and not closed else report


def _points_alone(report: StudentReport) -> StudentReport:
    """Return a report with its score and that of each part, and nothing else that tests found."""
    parts = tuple(part.model_copy(update={"items": ()}) for part in report.parts)
    return report.model_copy(update={"parts": parts, "tests": (), "artifacts": ()})


def _previous(session: Session, submission: Submission) -> Submission | None:
    return session.scalar(
        select(Submission)
        .where(
            Submission.enrolment_id == submission.enrolment_id,
            Submission.offering_id == submission.offering_id,
            Submission.attempt < submission.attempt,
        )
        .order_by(Submission.attempt.desc())
        .limit(1)
    )
