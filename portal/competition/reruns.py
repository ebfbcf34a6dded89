"""Re-runs: queueing them, and the state machine by which workers make them. The caller commits.

Of a competition's open re-runs the engine owes the first alone, and the next one with its end.
Every change is made under the competition's lock.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload

from grader.api import Rerun, Verdict, clean
from portal.audit.service import record
from portal.competition.finish import PlannedPlace
from portal.competition.fresh import FreshSet
from portal.competition.models import (
    OPEN_RERUNS,
    CompetitionEntry,
    CompetitionRerun,
    RerunState,
)
from portal.competition.opening import Competition
from portal.platform.engine import JobEngine
from portal.platform.errors import Invalid
from portal.platform.language import gettext
from portal.runs.claims import Seen, WorkTable
from portal.runs.queues import queue_of
from portal.runs.service import LEASE, MAX_CLAIMS, PRIORITY_REGRADE
from portal.teams.service import lock

BEST = 10  # so many are run again unless somebody says otherwise
MOST = 50
PRIORITY_RERUN = 2 * PRIORITY_REGRADE  # after every grading
_MOST_DETAIL = 2_000


class RerunTable(WorkTable[CompetitionRerun]):
    """Re-runs, as work that is delivered one after another in each competition."""

    def owed(self, session: Session) -> list[Seen]:
        """Return the first open re-run of every competition."""
        model = CompetitionRerun
        heads = (
            select(model.offering_id, func.min(model.number).label("number"))
            .where(model.state.in_(OPEN_RERUNS))
            .group_by(model.offering_id)
            .subquery()
        )
        rows = session.execute(
            select(model.id, model.state, model.fence).join(
                heads,
                (model.offering_id == heads.c.offering_id) & (model.number == heads.c.number),
            )
        )
        return [Seen(*row) for row in rows]

    def overdue(self, queue: str, *, before: datetime) -> Select[int]:
        """Leave out what waits, as it is to, for a re-run that runs or has ended only since."""
        other = aliased(CompetitionRerun)
        goes_on = (other.state == RerunState.RUNNING) | (
            (other.state == RerunState.DONE) & (other.ended_at >= before)
        )
        same = other.offering_id == CompetitionRerun.offering_id
        return super().overdue(queue, before=before).where(~exists().where(same, goes_on))


RERUNS = RerunTable(CompetitionRerun, RerunState.QUEUED, RerunState.RUNNING)


@dataclass(frozen=True)
class RerunClaim:
    """The right to make a re-run, until somebody claims it with a higher fence."""

    rerun_id: str
    fence: int
    offering_id: int
    entry_id: str


@dataclass(frozen=True)
class Made:
    """What came of a re-run, and on which fresh set; None if it did not come to that."""

    rerun: Rerun
    fresh: FreshSet | None = None


@dataclass(frozen=True)
class QueuedReruns:
    """What became of a wish to run the best entries again."""

    queued: int
    waiting: int  # these are queued or run already
    holding: int  # these held before, and nobody asked for them again
    without_source: tuple[str, ...]  # names of teams


def queue_best(
    session: Session,
    jobs: JobEngine,
    competition: Competition,
    places: Sequence[PlannedPlace],
    fresh: FreshSet,
    *,
    also_holding: bool,
    actor_id: int,
    now: datetime,
) -> QueuedReruns:
    """Queue the finals at these places of a result's plan, the best first."""
    offering = lock(session, competition.offering.id)
    known = speaking_reruns(session, offering.id)
    chosen: list[CompetitionEntry] = []
    waiting = holding = 0
    without_source = []
    for entry, team in ((one.finalist.entry, one.finalist.team) for one in places):
        before = known.get(entry.id)
        if entry.source_sha256 is None:
            without_source.append(team.name)
        elif before is not None and before.state.is_open:
            waiting += 1
        elif before is not None and before.verdict is Verdict.HOLDS and not also_holding:
            holding += 1
        else:
            chosen.append(entry)
    if chosen:
        _queue(session, jobs, competition, chosen, fresh, actor_id=actor_id, now=now)
    return QueuedReruns(len(chosen), waiting, holding, tuple(without_source))


def queue_again(
    session: Session,
    jobs: JobEngine,
    competition: Competition,
    entry_id: str,
    fresh: FreshSet,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    """Queue one entry that was run again before. Raises Invalid if it waits or runs already."""
    offering = lock(session, competition.offering.id)
    before = speaking_reruns(session, offering.id).get(entry_id)
    if before is None:
        raise Invalid(gettext("this entry has not been run again yet; queue it with the best ones"))
    if before.state.is_open:
        raise Invalid(gettext("this entry is queued to be run again already"))
    _queue(session, jobs, competition, [before.entry], fresh, actor_id=actor_id, now=now)


def cancel(
    session: Session,
    jobs: JobEngine,
    offering_id: int,
    *,
    only: str | None = None,
    actor_id: int,
    now: datetime,
) -> list[str]:
    """Cancel what is queued in a competition, or `only` one of it; return the ids of those.

    What a worker has taken goes on. The caller cancels their jobs once this is committed.
    """
    lock(session, offering_id)
    before = _first_open(session, offering_id)
    wanted = [one for one in reruns_of(session, offering_id) if only in (None, one.id)]
    values = {"state": RerunState.CANCELLED, "ended_at": now}
    cancelled = [
        one for one in wanted if RERUNS.move(session, one.id, values, state=RerunState.QUEUED)
    ]
    if not cancelled:
        return []
    if before is not None and before.id in {one.id for one in cancelled}:
        _owe_first(session, jobs, offering_id)
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="competition.rerun_cancel",
        subject=f"offering:{offering_id}",
        entries=[one.entry.number for one in cancelled],
    )
    return [one.id for one in cancelled]


def claim(
    session: Session,
    jobs: JobEngine,
    rerun_id: str,
    *,
    executor: str,
    now: datetime,
    lease: timedelta = LEASE,
) -> RerunClaim | None:
    """Take a re-run, under a fence higher than any before.

    Returns None if there is nothing to do: it has ended, or another worker that shows signs of
    life has it. One that has taken down `MAX_CLAIMS` workers ends as a fault of ours.
    """
    offering_id = session.scalar(
        select(CompetitionRerun.offering_id).where(CompetitionRerun.id == rerun_id)
    )
    if offering_id is None:
        return None
    lock(session, offering_id)
    row = RERUNS.free(session, rerun_id, executor=executor, since=now - lease)
    if row is None:
        return None
    fence = RERUNS.take(session, row, executor=executor, started_at=now)
    if fence is None:
        return None
    taken = RerunClaim(rerun_id, fence, offering_id, row.entry_id)
    if fence > MAX_CLAIMS:
        why = f"{MAX_CLAIMS} workers took it and none finished"
        finish(session, jobs, taken, Made(Rerun("", Verdict.FAULT, detail=why)), now=now)
        return None
    return taken


def finish(
    session: Session, jobs: JobEngine, held: RerunClaim, made: Made, *, now: datetime
) -> bool:
    """Write down what a re-run said; False if the claim is no longer the last."""
    lock(session, held.offering_id)
    values = _figures(made.rerun) | {"state": RerunState.DONE, "executor": None, "ended_at": now}
    if made.fresh is not None:
        values["fresh"] = made.fresh.digest
    if not RERUNS.move(session, held.rerun_id, values, state=RerunState.RUNNING, fence=held.fence):
        return False
    _owe_first(session, jobs, held.offering_id)
    return True


def reruns_of(session: Session, offering_id: int) -> Sequence[CompetitionRerun]:
    """Return every re-run of a competition, in their order, with its entry."""
    return session.scalars(
        select(CompetitionRerun)
        .where(CompetitionRerun.offering_id == offering_id)
        .options(joinedload(CompetitionRerun.entry))
        .order_by(CompetitionRerun.number)
    ).all()


def speaking_reruns(session: Session, offering_id: int) -> dict[str, CompetitionRerun]:
    """Return the re-run that speaks for each entry that has one, by entry."""
    return speaking(reruns_of(session, offering_id))


def speaking(reruns: Iterable[CompetitionRerun]) -> dict[str, CompetitionRerun]:
    """Choose, by entry, the last of some re-runs: a cancelled one speaks only if there is no other.

    So a verdict against a team is not lost by queueing the entry again and cancelling that.
    """
    found: dict[str, CompetitionRerun] = {}
    for one in reruns:
        if one.state is not RerunState.CANCELLED or one.entry_id not in found:
            found[one.entry_id] = one
    return found


def _figures(found: Rerun) -> dict[str, Any]:
    """Return what is written down of a re-run. A fault of ours has no scores to be misread."""
    compared = None if found.verdict is Verdict.FAULT else found.comparison
    return {
        "verdict": found.verdict,
        "claim": compared.claim if compared else None,
        "again": compared.again if compared else None,
        "sds": compared.sds if compared else None,
        "tries": found.tries,
        "cpu_seconds": found.cpu_seconds,
        "detail": clean(found.detail, _MOST_DETAIL),
    }


def _queue(
    session: Session,
    jobs: JobEngine,
    competition: Competition,
    chosen: Sequence[CompetitionEntry],
    fresh: FreshSet,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    offering_id = competition.offering.id
    before = reruns_of(session, offering_id)
    idle = not any(one.state.is_open for one in before)
    last = max((one.number for one in before), default=0)
    batch = max((one.batch for one in before), default=0) + 1
    session.add_all(
        CompetitionRerun(
            id=str(uuid.uuid4()),
            queue=queue_of(competition.lab.assignment),
            priority=PRIORITY_RERUN,
            state=RerunState.QUEUED,
            created_at=now,
            offering_id=offering_id,
            number=number,
            batch=batch,
            entry_id=entry.id,
            fresh=fresh.digest,
            author_id=actor_id,
        )
        for number, entry in enumerate(chosen, start=last + 1)
    )
    session.flush()
    if idle:
        _owe_first(session, jobs, offering_id)
    record(
        session,
        at=now,
        actor_id=actor_id,
        action="competition.rerun",
        subject=f"offering:{offering_id}",
        entries=[entry.number for entry in chosen],
    )


def _first_open(session: Session, offering_id: int) -> CompetitionRerun | None:
    return session.scalars(
        select(CompetitionRerun)
        .where(
            CompetitionRerun.offering_id == offering_id,
            CompetitionRerun.state.in_(OPEN_RERUNS),
        )
        .order_by(CompetitionRerun.number)
        .limit(1)
    ).first()


def _owe_first(session: Session, jobs: JobEngine, offering_id: int) -> None:
    first = _first_open(session, offering_id)
    if first is not None:
        jobs.enqueue_in(session, first.id, first.queue, first.priority)
