"""What a trial has found: whose points would change, by how much, and through which tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload

from grader.api import Catalogue
from portal.courses.models import Enrolment, Offering
from portal.marking.models import RegradeTrial, TrialRun, TrialState
from portal.platform.language import gettext, ngettext
from portal.runs.models import OPEN_STATES, GradingRun, Result, RunState, RunTest
from portal.runs.speaking import MAY_SPEAK, current_runs
from portal.runs.suites import digest_now
from portal.standings.counting import PointsByTests
from portal.submissions.models import Submission

Place = tuple[int, int]  # enrolment id, offering id
TestEnd = tuple[str, float, str]  # outcome, points, title
_NO_TEST: TestEnd = ("", 0.0, "")


@dataclass(frozen=True)
class TrialRow:
    """One submission of a trial."""

    submission: Submission
    run: GradingRun  # the trial's
    before: GradingRun  # what spoke when the trial began
    points_before: PointsByTests | None
    points: PointsByTests | None
    tests: tuple[str, ...]  # titles of those that end otherwise
    moved: bool  # points differ, of the whole or of a test
    overtaken: bool  # graded anew since by other means, or about to be
    newer: bool  # its student has sent a newer attempt since, which is in no trial

    @property
    def graded(self) -> bool:
        """Whether the trial has come to an end here."""
        return self.points is not None

    @property
    def difference(self) -> Decimal:
        """By how many points the sum would change; what was not graded has none so far."""
        before = self.points_before.score if self.points_before else Decimal(0)
        return self.points.score - before if self.points else Decimal(0)

    @property
    def tells(self) -> bool:
        """Whether there is more to say of it than that everything stays."""
        stuck = self.run.state is RunState.NEEDS_HUMAN
        return self.moved or bool(self.tests) or self.overtaken or stuck

    @property
    def changes(self) -> bool:
        """Whether letting it count would change points."""
        return self.moved and not self.overtaken


@dataclass(frozen=True)
class TrialPage:
    """Everything that the page of a trial shows, the greatest change first."""

    trial: RegradeTrial
    rows: tuple[TrialRow, ...]
    stale: tuple[Offering, ...]  # labs whose suite is another one by now

    @property
    def graded(self) -> int:
        """How many are graded anew."""
        return sum(row.graded for row in self.rows)

    @property
    def waiting(self) -> int:
        """How many wait or are being graded."""
        return sum(row.run.state.is_open for row in self.rows)

    @property
    def stuck(self) -> int:
        """How many could not be graded: a fault of ours."""
        return sum(row.run.state is RunState.NEEDS_HUMAN for row in self.rows)

    @property
    def overtaken(self) -> int:
        """How many were graded anew since, or are about to be."""
        return sum(row.overtaken for row in self.rows)

    @property
    def shown(self) -> tuple[TrialRow, ...]:
        """Those of which there is something to say."""
        return tuple(row for row in self.rows if row.tells)

    @property
    def to_count(self) -> tuple[TrialRow, ...]:
        """Those that can be let count."""
        return tuple(row for row in self.rows if row.graded and not row.overtaken)

    @property
    def changing(self) -> tuple[TrialRow, ...]:
        """Those of them whose points change."""
        return tuple(row for row in self.to_count if row.changes)

    @property
    def counting(self) -> int:
        """How many count."""
        return sum(row.run.speaks for row in self.rows)

    @property
    def ready(self) -> bool:
        """Whether it can be let count now."""
        return self.trial.state is TrialState.OPEN and not (self.stale or self.waiting)

    @property
    def text(self) -> str:
        """Say how far it is."""
        said = [
            gettext(
                "%(graded)s of %(total)s graded anew.", graded=self.graded, total=len(self.rows)
            ),
            gettext(
                "%(changed)s of %(total)s would change.",
                changed=sum(row.moved for row in self.rows),
                total=len(self.rows),
            ),
        ]
        if self.stuck:
            said.append(ngettext("%(num)s needs a person.", "%(num)s need a person.", self.stuck))
        return " ".join(said)


def read_trial(session: Session, catalogue: Catalogue, trial: RegradeTrial) -> TrialPage:
    """Read a trial as it stands, in as many queries whatever its size."""
    found = _runs(session, trial)
    ids = [submission.id for submission, _, _ in found]
    run_ids = {one.id for _, run, before in found for one in (run, before)}
    points, ends = _points(session, run_ids), _ends(session, run_ids)
    open_still = trial.state is TrialState.OPEN
    overtaken = _overtaken(session, found) if open_still else frozenset[str]()
    newer = _newer(session, ids, since=trial.created_at)
    rows = []
    for submission, run, before in found:
        then, now = points.get(run.id), points.get(before.id)
        tests, moved = _compared(ends.get(before.id, {}), ends.get(run.id, {}))
        rows.append(
            TrialRow(
                submission=submission,
                run=run,
                before=before,
                points_before=now,
                points=then,
                tests=tests if then and now else (),
                moved=then is not None and (then != now or moved),
                overtaken=submission.id in overtaken,
                newer=(submission.enrolment_id, submission.offering_id) in newer,
            )
        )
    rows.sort(key=_greatest_first)
    return TrialPage(trial, tuple(rows), _stale(catalogue, found) if open_still else ())


def trials_of(session: Session, term_id: int, *, most: int = 20) -> Sequence[RegradeTrial]:
    """Return the newest trials of a term."""
    return session.scalars(
        select(RegradeTrial)
        .where(RegradeTrial.term_id == term_id)
        .options(joinedload(RegradeTrial.author))
        .order_by(RegradeTrial.created_at.desc(), RegradeTrial.id)
        .limit(most)
    ).all()


Tried = tuple[Submission, GradingRun, GradingRun]  # with the trial's run, and the one before


def _runs(session: Session, trial: RegradeTrial) -> list[Tried]:
    before = aliased(GradingRun)
    query = (
        select(Submission, GradingRun, before)
        .select_from(TrialRun)
        .join(GradingRun, GradingRun.id == TrialRun.run_id)
        .join(before, before.id == TrialRun.before_id)
        .join(Submission, Submission.id == GradingRun.submission_id)
        .where(TrialRun.trial_id == trial.id)
        .options(
            joinedload(Submission.enrolment).joinedload(Enrolment.user),
            joinedload(Submission.offering),
        )
        .execution_options(populate_existing=True)
    )
    return [(sent, run, spoke) for sent, run, spoke in session.execute(query)]


def _points(session: Session, run_ids: Collection[str]) -> dict[str, PointsByTests]:
    query = select(Result.run_id, Result.score, Result.max_score, Result.pending_score)
    return {
        run_id: PointsByTests.of(*scores)
        for run_id, *scores in session.execute(query.where(Result.run_id.in_(run_ids)))
    }


def _ends(session: Session, run_ids: Collection[str]) -> dict[str, dict[str, TestEnd]]:
    """Return how each test of some runs ended: {run: {test: end}}."""
    query = (
        select(RunTest.run_id, RunTest.test, RunTest.outcome, RunTest.score, RunTest.title)
        .where(RunTest.run_id.in_(run_ids))
        .order_by(RunTest.run_id, RunTest.number)
    )
    found: dict[str, dict[str, TestEnd]] = {}
    for run_id, test, outcome, score, title in session.execute(query):
        found.setdefault(run_id, {})[test] = (outcome, score, title)
    return found


def _compared(
    before: Mapping[str, TestEnd], after: Mapping[str, TestEnd]
) -> tuple[tuple[str, ...], bool]:
    """Return the titles of tests that end otherwise, and whether the points of one differ."""
    pairs = [
        (before.get(test, _NO_TEST), after.get(test, _NO_TEST))
        for test in dict.fromkeys([*after, *before])
    ]
    differ = [(was, ends) for was, ends in pairs if was[:2] != ends[:2]]
    titles = dict.fromkeys(ends[2] or was[2] for was, ends in differ)
    return tuple(titles), any(was[1] != ends[1] for was, ends in differ)


def _overtaken(session: Session, found: Sequence[Tried]) -> frozenset[str]:
    """Return the submissions for which another run speaks by now, or is about to."""
    ids = [submission.id for submission, _, _ in found]
    speaking = current_runs(session, ids)
    changed = {one.id for one, _, before in found if speaking[one.id].id != before.id}
    waiting = session.scalars(
        select(GradingRun.submission_id).where(
            GradingRun.submission_id.in_(ids), GradingRun.state.in_(OPEN_STATES), MAY_SPEAK
        )
    )
    return frozenset({*changed, *waiting})


def _newer(session: Session, ids: Collection[str], *, since: datetime) -> set[Place]:
    """Return where a student of some submissions has sent another since."""
    tried = select(Submission.enrolment_id).where(Submission.id.in_(ids))
    query = select(Submission.enrolment_id, Submission.offering_id).where(
        Submission.enrolment_id.in_(tried), Submission.received_at > since
    )
    return {(enrolment, offering) for enrolment, offering in session.execute(query)}


def _stale(catalogue: Catalogue, found: Sequence[Tried]) -> tuple[Offering, ...]:
    """Return the labs that were tried by another suite than today's."""
    tried = {(one.offering, run.suite_digest) for one, run, _ in found}
    today = {lab: digest_now(catalogue, lab.assignment_slug) for lab, _ in tried}
    stale = {lab for lab, digest in tried if digest != today[lab]}
    return tuple(sorted(stale, key=lambda lab: lab.position))


def _greatest_first(row: TrialRow) -> tuple[Decimal, bool, datetime, str]:
    return -abs(row.difference), not row.moved, row.submission.received_at, row.submission.id
