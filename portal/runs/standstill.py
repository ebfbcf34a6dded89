"""Whether grading stands still: runs wait, or other work, and no worker is there to take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from portal.platform.formats import moment
from portal.platform.language import ngettext
from portal.runs.claims import GRADINGS, WorkTable
from portal.runs.models import Heartbeat
from portal.runs.service import LEASE

PATIENCE = timedelta(minutes=2)  # a worker may be restarted without alarm


@dataclass(frozen=True)
class Standstill:
    """Runs have waited for longer than a restart takes, and no worker lives."""

    waiting: int
    since: datetime  # the last sign of life of any worker, else since when the oldest run waits

    def sentence(self) -> str:
        """Say it to whoever can mend it."""
        return ngettext(
            "%(num)s run waits and no worker takes them, since %(since)s",
            "%(num)s runs wait and no worker takes them, since %(since)s",
            self.waiting,
            since=moment(self.since, "UTC"),
        )


def standstill(
    session: Session, *, now: datetime, tables: Sequence[WorkTable[Any]] = (GRADINGS,)
) -> Standstill | None:
    """Return how the work of some tables stands still.

    None if a worker lives, or nothing has waited long.
    """
    last = session.scalar(select(func.max(Heartbeat.at)))
    if last is not None and last > now - LEASE:
        return None
    # One query for all: every page of staff asks.
    waiting = session.execute(union_all(*(table.waiting() for table in tables))).all()
    oldest = min((since for _, since in waiting if since is not None), default=None)
    if oldest is None:
        return None
    since = max(oldest, last) if last is not None else oldest
    if since > now - PATIENCE:
        return None
    return Standstill(sum(number for number, _ in waiting), since)
