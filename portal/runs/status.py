"""How a run stands, in words for the student who waits for it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.runs import service
from portal.runs.models import Event, EventKind, GradingRun, RunState
from portal.runs.standstill import standstill


@dataclass(frozen=True)
class Status:
    """What the live page shows of a run."""

    run_id: str
    event: int  # id of the run's last event: what a reader has seen who has seen this
    state: RunState
    text: str
    position: int | None = None  # in the queue, 1 for the next
    done: int = 0
    total: int = 0  # 0 until the number of tests is known

    @property
    def final(self) -> bool:
        """Tell whether nothing more will come."""
        return not self.state.is_open

    def as_json(self) -> str:
        """Return what the page's script reads."""
        return json.dumps({**asdict(self), "state": self.state.value, "final": self.final})


def statuses(session: Session, run_ids: Collection[str], *, now: datetime) -> dict[str, Status]:
    """Return how these runs stand, in a handful of queries whatever their number."""
    runs = session.scalars(select(GradingRun).where(GradingRun.id.in_(run_ids))).all()
    waiting = {run.queue for run in runs if run.state is RunState.QUEUED}
    places: dict[str, int] = {}
    for queue in waiting:
        places |= service.queue_positions(session, queue)
    last = _last_events(session, run_ids)
    still = bool(waiting) and standstill(session, now=now) is not None
    steps = _last_progress(session, [run.id for run in runs if run.state is RunState.RUNNING])
    return {
        run.id: _status(
            run, last.get(run.id, 0), places.get(run.id), steps.get(run.id, (0, 0)), still
        )
        for run in runs
    }


def _status(
    run: GradingRun, event: int, place: int | None, step: tuple[int, int], still: bool
) -> Status:
    done, total = step
    return Status(
        run_id=run.id,
        event=event,
        state=run.state,
        text=_text(run, place, done, total, still),
        position=place,
        done=done,
        total=total,
    )


def _text(run: GradingRun, place: int | None, done: int, total: int, still: bool) -> str:
    match run.state:
        case RunState.QUEUED if still:
            return (
                "Nothing is being graded at the moment; the staff see it. Your submission is safe "
                f"and keeps its place, {_place(place)}: you need do nothing."
            )
        case RunState.QUEUED if run.attempts:
            return (
                "A fault of ours stopped the grading. It costs you no attempt; your submission "
                f"is in the queue again, {_place(place)}."
            )
        case RunState.QUEUED:
            return f"Waiting for a free place, {_place(place)}."
        case RunState.RUNNING if total:
            return f"Being graded: test {done} of {total} done."
        case RunState.RUNNING:
            return "Being graded: the sandbox is starting."
        case RunState.GRADED:
            return "Graded."
        case RunState.NEEDS_HUMAN:
            return (
                "We could not grade this submission. The fault is ours: it cost you no attempt, "
                "the staff were told, and you need not send it again."
            )
        case RunState.SUPERSEDED:
            return (
                "You sent a newer version before this one was graded, so only the newer one is. "
                "This one cost no attempt."
            )


def _place(place: int | None) -> str:
    if place is None or place == 1:
        return "next in line"
    return f"number {place} in line"


def _last_events(session: Session, run_ids: Collection[str]) -> dict[str, int]:
    query = (
        select(Event.run_id, func.max(Event.id))
        .where(Event.run_id.in_(run_ids))
        .group_by(Event.run_id)
    )
    return {run_id: event for run_id, event in session.execute(query)}


def _last_progress(session: Session, run_ids: Collection[str]) -> dict[str, tuple[int, int]]:
    """Return (done, total) of runs whose last word since they were claimed is a progress."""
    newest = (
        select(func.max(Event.id))
        .where(Event.run_id.in_(run_ids))
        .where(Event.kind.in_([EventKind.STARTED, EventKind.PROGRESS]))
        .group_by(Event.run_id)
    )
    found = {}
    for event in session.scalars(select(Event).where(Event.id.in_(newest))):
        data = json.loads(event.data)
        found[event.run_id] = (int(data.get("done", 0)), int(data.get("total", 0)))
    return found
