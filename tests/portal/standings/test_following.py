"""Whatever happens to attempts, marks, grants and settings: a rebuild finds no difference."""

from __future__ import annotations

import tempfile
import threading
from contextlib import ExitStack, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from unittest.mock import Mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session
from support.attempts import Classroom, book
from support.databases import Server
from support.portal import START, Clock, Site, open_site
from support.portal import settings as site_settings
from support.reports import class_report

from grader.lab.catalogue import Catalogue
from portal.courses.models import AttemptPolicy, Enrolment, Offering, Term
from portal.grants.models import Grant
from portal.labs.service import Sender, submit
from portal.marking.regrade import regrade
from portal.platform.db import make_engine, read_session, write_session
from portal.platform.errors import Invalid
from portal.runs import service as runs
from portal.runs.models import OPEN_STATES, GradingRun
from portal.standings.keeping import everybody, rebuild, rewrite
from portal.standings.models import AttemptChoice, ManualMark, StudentStanding
from portal.submissions.arrival import Arrival, Upload
from portal.submissions.members import sent_by
from portal.submissions.models import Submission
from portal.teams.service import lock, move, own_team

LABS = 2
STUDENTS = ("ada", "bob", "cyd")


JOBS = Mock()  # a task engine that owes nothing: the test itself takes the runs


who = st.integers(0, len(STUDENTS) - 1)
where = st.integers(0, LABS - 1)
quarters = st.integers(0, 56)


class AnyTerm(RuleBasedStateMachine):
    """A term in which anything happens, in any order."""

    @initialize()
    def open(self) -> None:
        """Begin with three students and two labs."""
        self.stack = ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.site = self.stack.enter_context(open_site(Path(folder)))
        self.home = Catalogue(self.site.config.home)
        term_id = self.site.term.id
        with write_session(self.site.engine) as session:
            labs = select(Offering).where(Offering.term_id == term_id)
            found = session.scalars(labs.order_by(Offering.position).limit(LABS)).all()
            for lab in found:
                lab.assignment_slug, lab.late_percent = "demo", Decimal(10)
                lab.opens_at, lab.due_at = START, START + timedelta(hours=1)
                lab.team_size = 2
            self.labs = [lab.id for lab in found]
        self.students = [self.site.make_member(name).id for name in STUDENTS]
        self.author = self.site.make_user("tess").id
        self.made = 0
        for who in range(len(STUDENTS)):  # so that whatever comes next may change a score
            for where in range(LABS):
                self.upload(who, where, 12)
                self.grade(0, 40, False)

    def teardown(self) -> None:
        """Throw the portal away."""
        if hasattr(self, "stack"):
            self.stack.close()

    @rule(who=who, where=where, hours=st.integers(0, 200))
    def upload(self, who: int, where: int, hours: int) -> None:
        """Hand something in, later than what came before."""
        self.made += 1
        now = self.site.clock.advance(hours=hours, minutes=1)
        digest = f"{self.made:064}"
        with write_session(self.site.engine) as session:
            submit(
                session,
                JOBS,
                sender=Sender(self.students[who], is_staff=True),
                offering_id=self.labs[where],
                client_key=f"key-{self.made}",
                upload=Upload("answer.py", digest.encode(), digest, Arrival(files=())),
                suite_digest="s",
                now=now,
            )

    @rule(which=st.integers(0, 99), quarters=quarters, pending=st.booleans())
    def grade(self, which: int, quarters: int, pending: bool) -> None:
        """Book a report for one of the runs that wait."""
        report = class_report(quarters / 4, "wrong")
        report = report.model_copy(update={"pending_score": 1.0 if pending else 0.0})
        with write_session(self.site.engine) as session:
            held = self._claim(session, which)
            if held is not None:
                assert runs.finish(session, held, report, now=self.site.clock())

    @rule(which=st.integers(0, 99))
    def fault(self, which: int) -> None:
        """Let the grading of one fail through our fault."""
        with write_session(self.site.engine) as session:
            held = self._claim(session, which)
            if held is not None:
                runs.fail(session, JOBS, held, fault="disk full", now=self.site.clock())

    @rule(which=st.integers(0, 99))
    def regrade(self, which: int) -> None:
        """Queue a new run of some submission."""
        self.made += 1
        with write_session(self.site.engine) as session:
            sent = session.scalars(select(Submission).order_by(Submission.attempt)).all()
            if sent:
                regrade(
                    session,
                    JOBS,
                    self.home,
                    sent[which % len(sent)],
                    key=f"{self.made}",
                    actor_id=self.author,
                    now=self.site.clock.advance(minutes=1),
                )

    @rule(who=who, where=where, points=st.integers(0, 8), item=st.sampled_from(["report", "x"]))
    def mark(self, who: int, where: int, points: int, item: str) -> None:
        """Give points by hand."""
        self._add(
            ManualMark(
                enrolment_id=self.students[who],
                offering_id=self.labs[where],
                item_id=item,
                points=Decimal(points) / 4,
                author_id=self.author,
                created_at=self.site.clock(),
            )
        )

    @rule(who=who, where=where, days=st.none() | st.integers(0, 30))
    def grant(self, who: int, where: int, days: int | None) -> None:
        """Give more time, or take it back."""
        due = None if days is None else self.site.clock() + timedelta(days=days)
        self._add(
            Grant(
                enrolment_id=self.students[who],
                offering_id=self.labs[where],
                due_at=due,
                attempts=0,
                reason="ill",
                author_id=self.author,
                created_at=self.site.clock(),
            )
        )

    @rule(
        where=where,
        policy=st.sampled_from(AttemptPolicy),
        percent=st.integers(0, 40),
        grace=st.sampled_from([0, 600]),
        days=st.integers(0, 40),
        shown=st.booleans(),
    )
    def change(
        self, where: int, policy: AttemptPolicy, percent: int, grace: int, days: int, shown: bool
    ) -> None:
        """Change a lab's settings, and publish or hide its marks."""
        with write_session(self.site.engine) as session:
            lab = session.get_one(Offering, self.labs[where])
            lab.policy, lab.late_percent, lab.grace_minutes = policy, Decimal(percent), grace
            lab.due_at = lab.opens_at + timedelta(days=days)
            lab.marks_published = shown

    @rule(who=who, other=who, where=where)
    def team_up(self, who: int, other: int, where: int) -> None:
        """Put somebody into the team of another one, or leave them alone."""
        with write_session(self.site.engine) as session:
            offering = lock(session, self.labs[where])
            first, second = (session.get_one(Enrolment, self.students[one]) for one in (who, other))
            target = None
            if who != other:
                target = own_team(session, offering, second, now=self.site.clock())
            with suppress(Invalid):  # they are there already
                move(
                    session,
                    offering,
                    first,
                    target,
                    reason="so",
                    actor_id=self.author,
                    now=self.site.clock(),
                )

    @rule(late_days=st.integers(0, 5), a_lab=st.integers(0, 3))
    def give_late_days(self, late_days: int, a_lab: int) -> None:
        """Change how many late days the term gives."""
        with write_session(self.site.engine) as session:
            term = session.get_one(Term, self.site.term.id)
            term.late_days, term.late_days_a_lab = late_days, a_lab

    @invariant()
    def rebuilding_finds_nothing(self) -> None:
        """Work everything out anew and compare."""
        if hasattr(self, "author"):
            assert rebuild(self.site.engine) == []

    @rule(who=who, where=where, which=st.none() | st.integers(0, 9))
    def choose(self, who: int, where: int, which: int | None) -> None:
        """Choose which attempt counts, or none."""
        mine = select(Submission.id).where(sent_by([self.students[who]], self.labs[where]))
        with read_session(self.site.engine) as session:
            ids = session.scalars(mine.order_by(Submission.attempt)).all()
        self._add(
            AttemptChoice(
                enrolment_id=self.students[who],
                offering_id=self.labs[where],
                submission_id=None if which is None else ids[which % len(ids)],
                reason="",
                author_id=self.author,
                created_at=self.site.clock(),
            )
        )

    def _claim(self, session: Session, which: int) -> runs.Claim | None:
        """Claim one of the runs that wait, if there are any."""
        waiting = select(GradingRun.id).where(GradingRun.state.in_(OPEN_STATES))
        ids = session.scalars(waiting.order_by(GradingRun.id)).all()
        now = self.site.clock()
        return runs.claim(session, ids[which % len(ids)], executor="w", now=now) if ids else None

    def _add(self, row: ManualMark | Grant | AttemptChoice) -> None:
        with write_session(self.site.engine) as session:
            session.add(row)


class TestAnyTerm(AnyTerm.TestCase):  # type: ignore[name-defined,misc]
    """A short life of it."""

    settings = settings(max_examples=8, stateful_step_count=25, deadline=None)


@pytest.mark.nightly
class TestLongTerm(AnyTerm.TestCase):  # type: ignore[name-defined,misc]
    """Ten thousand operations."""

    settings = settings(max_examples=100, stateful_step_count=100, deadline=None)


@pytest.fixture
def on_postgresql(instance: Path, home: Path, postgresql: Server):
    """A portal on PostgreSQL, where two transactions write at a time."""
    with postgresql.database() as url:
        engine = make_engine(url)
        site = Site(site_settings(instance, home, url), engine, Clock())
        yield site
        site.close()
        engine.dispose()


def test_two_who_change_one_students_score_at_once_wait_for_each_other(on_postgresql: Site) -> None:
    classroom = Classroom(on_postgresql)
    ada = classroom.enrol("ada")
    (sent,) = classroom.send(ada, None)
    author = on_postgresql.make_user("tess").id
    first = Session(on_postgresql.engine)
    first.add(
        ManualMark(
            enrolment_id=ada.id,
            offering_id=classroom.offering_id,
            item_id="report",
            points=Decimal(1),
            author_id=author,
            created_at=on_postgresql.clock(),
        )
    )
    first.flush()
    rewrite(first, [ada.id])  # as its commit would, and not yet committed
    second = threading.Thread(target=book, args=(on_postgresql, sent, class_report(14.0, "")))
    second.start()
    second.join(timeout=1)
    first.commit()
    first.close()
    second.join(timeout=30)
    assert rebuild(on_postgresql.engine) == []
    with read_session(on_postgresql.engine) as session:
        standing = session.scalars(select(StudentStanding)).one()
        assert (standing.by_tests, standing.marks) == (14, {"report": "1"})


def test_a_standing_changed_around_the_portal_is_found_and_mended(
    classroom: Classroom, engine: Engine
) -> None:
    ada = classroom.enrol("ada")
    classroom.send(ada, 7.0)
    with write_session(engine) as session:
        session.scalars(select(StudentStanding)).one().by_tests = Decimal(14)
    (found,) = rebuild(engine)
    assert (found.enrolment_id, found.columns) == (ada.id, ("by_tests",))
    assert rebuild(engine) == []


def test_points_by_item_are_those_of_the_attempt_that_counts(
    classroom: Classroom, engine: Engine
) -> None:
    classroom.send(classroom.enrol("ada"), 14.0, 3.0)
    with read_session(engine) as session:
        standing = session.scalars(select(StudentStanding)).one()
        assert (standing.attempt, standing.solved_at, standing.attempts) == (1, 1, 2)
        assert standing.items == {"first": [0.0, 7.0], "second": [0.0, 7.0]}
        assert everybody(session) == [standing.enrolment_id]
