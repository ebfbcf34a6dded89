"""Whether a worker's machine gives the sandbox that this installation demands.

The engine refuses to grade in a weaker one, run by run. This says so before the first submission
is met: in the worker's log, and on the pages of staff for as long as such a worker lives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from grader.api import NOT_FOR_GRADES, Tier, best_tier
from portal.platform.language import gettext
from portal.runs.models import Heartbeat


@dataclass(frozen=True)
class Strength:
    """A machine's best sandbox tier and the weakest that may grade; 1 is the strongest."""

    tier: int
    demanded: int

    @property
    def refuses(self) -> bool:
        """Whether nothing is graded here."""
        return self.tier > self.demanded

    def warning(self) -> str:
        """Say what is wrong and what to do; empty if all is well."""
        given = gettext(
            "sandbox tier %(tier)s (%(name)s)", tier=self.tier, name=Tier(self.tier).title
        )
        if self.refuses:
            return gettext(
                "only %(given)s, but tier %(demanded)s or better is demanded "
                "(PORTAL_MINIMUM_TIER). It refuses to grade: submissions cost no attempt and wait "
                "for staff. Run `grader doctor` there, mend what it names, restart the worker and "
                "regrade what waits.",
                given=given,
                demanded=self.demanded,
            )
        if self.tier >= NOT_FOR_GRADES:
            return gettext(
                "only %(given)s, and PORTAL_MINIMUM_TIER=%(demanded)s lets it grade: code of "
                "students runs without a sandbox. The scores are NOT FOR GRADES. Run "
                "`grader doctor` there.",
                given=given,
                demanded=self.demanded,
            )
        return ""


@dataclass(frozen=True)
class WeakWorker:
    """A living worker that staff must know of."""

    host: str
    warning: str


def strength_here(demanded: int) -> Strength:
    """Return what this machine gives to this user, found by trying it."""
    return Strength(int(best_tier()), demanded)


def weak_workers(session: Session, *, since: datetime) -> list[WeakWorker]:
    """Return the workers alive since then whose machines warrant a warning, one for each host."""
    rows = session.scalars(
        select(Heartbeat).where(Heartbeat.at > since).order_by(Heartbeat.host, Heartbeat.executor)
    )
    return list(dict.fromkeys(_weak(rows)))


def _weak(rows: Iterable[Heartbeat]) -> Iterator[WeakWorker]:
    for row in rows:
        if row.tier is not None and row.minimum_tier is not None:
            warning = Strength(row.tier, row.minimum_tier).warning()
            if warning:
                yield WeakWorker(row.host, warning)
