"""How a run stands, in words for the student who waits for it."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.platform.language import gettext
from portal.runs import service
from portal.runs.chips import STATES
from portal.runs.models import Event, EventKind, GradingRun, RunState
from portal.runs.standstill import standstill


@dataclass(frozen=True)
class Status:
    """What the live page shows of a run."""

    run_id: str
    event: int  # id of the run's last event: what a reader has seen who has seen this
    state: RunState
    position: int | None = None  # in the queue, 1 for the next
    done: int = 0
    total: int = 0  # steps of which `done` are reached; 0 until the tests begin
    still: bool = False  # it waits, and nobody takes runs
    again: bool = False  # a fault of ours has stopped it before

    @property
    def final(self) -> bool:
        """Tell whether nothing more will come."""
        return not self.state.is_open

    @property
    def text(self) -> str:
        """Say it to the reader."""
        return _text(self)

    def as_json(self) -> str:
        """Return what the page's script reads."""
        kind, word = STATES[self.state]
        more = {
            "state": self.state.value,
            "text": self.text,
            "final": self.final,
            "chip": {"kind": kind, "word": str(word)},
        }
        return json.dumps({**asdict(self), **more})


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
        position=place,
        done=done,
        total=total,
        still=still and run.state is RunState.QUEUED,
        again=bool(run.attempts),
    )


def _text(status: Status) -> str:
    place = _place(status.position)
    match status.state:
        case RunState.QUEUED if status.still:
            return gettext(
                "Nothing is being graded at the moment; the staff see it. Your submission is safe "
                "and keeps its place, %(place)s: you need do nothing.",
                place=place,
            )
        case RunState.QUEUED if status.again:
            return gettext(
                "A fault of ours stopped the grading. It costs you no attempt; your submission "
                "is in the queue again, %(place)s.",
                place=place,
            )
        case RunState.QUEUED:
            return gettext("Waiting for a free place, %(place)s.", place=place)
        case RunState.RUNNING if status.done:
            return gettext(
                "Being graded: about %(percent)s %% done.",
                percent=100 * status.done // status.total,
            )
        case RunState.RUNNING if status.total:
            return gettext("Being graded: the first tests are running.")
        case RunState.RUNNING:
            return gettext("Being graded: the sandbox is starting.")
        case RunState.GRADED:
            return gettext("Graded.")
        case RunState.NEEDS_HUMAN:
            return gettext(
                "We could not grade this submission. The fault is ours: it cost you no attempt, "
                "the staff were told, and you need not send it again."
            )
        case RunState.SUPERSEDED:
            return gettext(
                "You sent a newer version before this one was graded, so only the newer one is. "
                "This one cost no attempt."
            )


def _place(place: int | None) -> str:
    if place is None or place == 1:
        return gettext("next in line")
    return gettext("number %(place)s in line", place=place)


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
