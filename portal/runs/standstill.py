"""Whether grading stands still: runs wait, and no worker is there to take them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.platform.language import ngettext
from portal.runs.models import GradingRun, Heartbeat, RunState
from portal.runs.service import LEASE

PATIENCE = timedelta(minutes=2)  # a worker may be restarted without alarm


@dataclass(frozen=True)
class Standstill:
    """Runs have waited for longer than a restart takes, and no worker lives."""

    waiting: int
    since: datetime  # the last sign of life of any worker, else since when the oldest run waits

    def sentence(self) -> str:
        """Say it to whoever can mend it."""
        since = f"{self.since:%Y-%m-%d %H:%M}"
        return ngettext(
            "%(num)s run waits and no worker takes them, since %(since)s UTC",
            "%(num)s runs wait and no worker takes them, since %(since)s UTC",
            self.waiting,
            since=since,
        )


def standstill(session: Session, *, now: datetime) -> Standstill | None:
    """Return how grading stands still; None if a worker lives, or nothing has waited long."""
    last = session.scalar(select(func.max(Heartbeat.at)))
    if last is not None and last > now - LEASE:
        return None
    waits = GradingRun.state.in_([RunState.QUEUED, RunState.RUNNING])
    query = select(func.count(), func.min(GradingRun.created_at)).where(waits)
    waiting, oldest = session.execute(query).one()
    if oldest is None:
        return None
    since = max(oldest, last) if last is not None else oldest
    return Standstill(waiting, since) if since <= now - PATIENCE else None
