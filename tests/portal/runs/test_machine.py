"""Any interleaving of uploads, claims, results, faults, dead workers and watchers."""

from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from portal.platform.db import read_session, write_session
from portal.runs import service
from portal.runs.models import Event, EventKind, GradingRun, Result, RunState
from portal.runs.reconcile import reconcile

WORKERS = ("a", "b", "c")
TERMINAL = {RunState.GRADED, RunState.NEEDS_HUMAN, RunState.SUPERSEDED}


def machine_of(new_course, new_report):
    class Runs(RuleBasedStateMachine):
        claims = Bundle("claims")

        @initialize()
        def start(self):
            self.now = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
            self.course = new_course()
            self.student = self.course.student()
            self.fences, self.ended = {}, {}

        @rule()
        def upload(self):
            self.course.run(self.student, self.now)

        @rule(worker=st.sampled_from(WORKERS))
        def beat(self, worker):
            with write_session(self.course.engine) as session:
                service.beat(session, executor=worker, host="h", pid=1, now=self.now)

        @rule(seconds=st.integers(1, 60))
        def time_passes(self, seconds):
            self.now += timedelta(seconds=seconds)

        @rule(target=claims, worker=st.sampled_from(WORKERS))
        def take(self, worker):
            job = self.course.jobs.take(worker)
            while job is not None:
                with write_session(self.course.engine) as session:
                    held = service.claim(session, job.run_id, executor=worker, now=self.now)
                if held is not None:
                    return held, job
                self.course.jobs.end(job)
                job = self.course.jobs.take(worker)
            return None

        @rule(taken=claims, score=st.floats(0, 4))
        def book(self, taken, score):  # also twice, also after the claim was lost
            if taken is None:
                return
            held, job = taken
            with write_session(self.course.engine) as session:
                service.finish(session, held, new_report(score), now=self.now)
            self.course.jobs.end(job)

        @rule(taken=claims)
        def fault(self, taken):
            if taken is None:
                return
            held, job = taken
            with write_session(self.course.engine) as session:
                service.fail(session, self.course.jobs, held, fault="x", now=self.now)
            self.course.jobs.end(job)

        @rule(taken=claims)
        def job_is_forgotten(self, taken):
            if taken is not None:
                self.course.jobs.end(taken[1])

        @rule()
        def watch(self):
            reconcile(self.course.engine, self.course.jobs, now=self.now)
            with read_session(self.course.engine) as session:
                open_runs = set(
                    session.scalars(select(GradingRun.id).where(GradingRun.state.not_in(TERMINAL)))
                )
            owed = {job.run_id for job in self.course.jobs.pending_of()}
            assert open_runs <= owed, "an open run is owed no delivery"

        @invariant()
        def truth_is_sound(self):
            with read_session(self.course.engine) as session:
                results = dict(session.execute(select(Result.run_id, Result.fence)).all())
                columns = GradingRun.id, GradingRun.state, GradingRun.fence, GradingRun.attempts
                for run in session.execute(select(*columns)):
                    assert (run.state is RunState.GRADED) == (run.id in results)
                    assert run.fence >= self.fences.get(run.id, 0)
                    assert run.attempts <= service.MAX_FAULTS
                    assert run.fence <= service.MAX_CLAIMS
                    self.fences[run.id] = run.fence
                    if run.id in results:
                        assert results[run.id] == run.fence
                    if run.id in self.ended:
                        assert run.state is self.ended[run.id], "an ended run moved"
                    if run.state in TERMINAL:
                        self.ended[run.id] = run.state
                endings = session.scalars(
                    select(Event.run_id).where(
                        Event.kind.in_([EventKind.GRADED, EventKind.NEEDS_HUMAN])
                    )
                ).all()
                assert len(endings) == len(set(endings)), "a run ended twice"

        def teardown(self):
            self.every_worker_but_one_dies()
            self.truth_is_sound()
            with read_session(self.course.engine) as session:
                states = set(session.scalars(select(GradingRun.state)))
            assert states <= TERMINAL, "a run was lost"
            self.course.engine.dispose()

        def every_worker_but_one_dies(self):
            self.now += 2 * service.LEASE
            self.watch()
            while taken := self.take("a"):
                self.book(taken, 1.0)

    return Runs


def test_every_interleaving_books_each_run_at_most_once(new_course, new_report):
    run_state_machine_as_test(
        lambda: machine_of(new_course, new_report)(),
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
