"""Claims on delivered work, whatever its kind: who has a row, and under which fence.

A claim raises the row's fence. Whoever writes shows the fence of its claim; a worker that was
thought lost and comes back late holds an old one, and what it writes is refused. Every change is
one compare-and-set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar, cast

from sqlalchemy import CursorResult, Select, func, select, update
from sqlalchemy.orm import Session

from portal.runs.delivered import Delivered
from portal.runs.models import GradingRun, Heartbeat, RunState

Row = TypeVar("Row", bound=Delivered)


@dataclass(frozen=True)
class Seen:
    """A row as it stood when it was looked at."""

    id: str
    state: StrEnum
    fence: int


@dataclass(frozen=True)
class WorkTable(Generic[Row]):
    """A table of work, and what its states are called while it has not ended."""

    model: type[Row]
    queued: StrEnum
    running: StrEnum

    def owed(self, session: Session) -> list[Seen]:
        """Return the rows that the engine owes a delivery: all that have not ended."""
        model = self.model
        is_open = model.state.in_((self.queued, self.running))
        rows = session.execute(select(model.id, model.state, model.fence).where(is_open))
        return [Seen(*row) for row in rows]

    def waiting(self) -> Select[int, datetime | None]:
        """Select how many rows have not ended, and since when the oldest of them waits."""
        model = self.model
        is_open = model.state.in_((self.queued, self.running))
        return select(func.count(), func.min(model.created_at)).where(is_open)

    def overdue(self, queue: str, *, before: datetime) -> Select[int]:
        """Select how many rows of a queue nobody took whose turn came before an instant."""
        model = self.model
        return select(func.count()).where(
            model.queue == queue, model.state == self.queued, model.created_at < before
        )

    def holds(self, session: Session, work_id: str) -> bool:
        """Tell whether an id is one of this table."""
        return session.get(self.model, work_id) is not None

    def free(self, session: Session, work_id: str, *, executor: str, since: datetime) -> Row | None:
        """Return a row for `executor` to claim, locked.

        None if there is nothing to do: it has ended, or another worker has it that has shown a
        sign of life since then.
        """
        row = session.get(self.model, work_id, with_for_update=True)
        if row is None or row.state not in (self.queued, self.running):
            return None
        if row.state is self.running and _held_by_other(session, row, executor, since):
            return None
        return row

    def take(self, session: Session, row: Row, *, executor: str, **values: Any) -> int | None:
        """Claim a row; return the new fence, None if somebody was faster."""
        fence = row.fence + 1
        values |= {"state": self.running, "fence": fence, "executor": executor}
        taken = self.move(session, row.id, values, state=row.state, fence=row.fence)
        return fence if taken else None

    def release(self, session: Session, work_id: str, fence: int) -> bool:
        """Put a row that nobody works on back into the queue; False if it has moved on."""
        values = {"state": self.queued, "executor": None}
        return self.move(session, work_id, values, state=self.running, fence=fence)

    def move(
        self,
        session: Session,
        work_id: str,
        values: Mapping[str, Any],
        *,
        state: StrEnum,
        fence: int | None = None,
    ) -> bool:
        """Change a row only if it still is in `state` (and under `fence`); tell whether it was."""
        statement = update(self.model).where(self.model.id == work_id, self.model.state == state)
        if fence is not None:
            statement = statement.where(self.model.fence == fence)
        outcome = cast(CursorResult[Any], session.execute(statement.values(**values)))
        return outcome.rowcount == 1


class OtherWork(Protocol):
    """What workers do besides grading. The engine delivers its ids too."""

    @property
    def table(self) -> WorkTable[Any]:
        """Its rows, which no other kind of work shares."""

    def do(self, work_id: str, *, executor: str, lease: timedelta) -> None:
        """Claim a row and do its work, unless it has ended or is another worker's."""


GRADINGS = WorkTable(GradingRun, RunState.QUEUED, RunState.RUNNING)


def _held_by_other(session: Session, row: Delivered, executor: str, since: datetime) -> bool:
    """Tell whether a live worker other than `executor` has the row.

    A worker's own name on it is that of its predecessor, whose place it took after a crash.
    """
    if row.executor is None or row.executor == executor:
        return False
    holder = session.get(Heartbeat, row.executor)
    return holder is not None and holder.at > since
