"""What a worker does with a re-run: the source of an entry, in a sandbox, on the fresh set.

Labels are read here and never enter the sandbox. Whatever goes wrong with our own files or machine
is a fault of ours, and says nothing of the team.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from grader.api import (
    Rejected,
    Rerun,
    SourceRunner,
    TableError,
    Tier,
    Verdict,
    read_entry,
    rerun,
)
from portal.competition import reruns
from portal.competition.fresh import FreshSet, read_fresh, ready_fresh
from portal.competition.models import CompetitionEntry
from portal.competition.opening import Competition, competition_of
from portal.platform.db import read_session, utc_now, write_session
from portal.runs.worker import WorkerParts

REFERENCE = "reference"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RerunOrder:
    """Which files are to be run again, and on what."""

    competition: Competition
    fresh: FreshSet  # the one that is installed now
    sha256: str  # of the predictions
    source_sha256: str


RunSource = Callable[[WorkerParts, RerunOrder], Rerun]


class Reruns:
    """A worker's way with re-runs. Has no loop of its own."""

    table = reruns.RERUNS

    def __init__(self, parts: WorkerParts, run: RunSource | None = None) -> None:
        """`run` stands in for the engine's; no setting of an installation can do that."""
        self._parts = parts
        self._run = run or run_source

    def do(self, work_id: str, *, executor: str, lease: timedelta) -> None:
        """Make a re-run and write down what it said, unless it has ended or is another worker's."""
        parts = self._parts
        with write_session(parts.database) as session:
            held = reruns.claim(
                session, parts.jobs, work_id, executor=executor, now=utc_now(), lease=lease
            )
        if held is None:
            return
        made = self._made(held)
        with write_session(parts.database) as session:
            booked = reruns.finish(session, parts.jobs, held, made, now=utc_now())
        if not booked:
            logger.warning("re-run %s was claimed by another worker meanwhile", work_id)

    def _made(self, held: reruns.RerunClaim) -> reruns.Made:
        try:
            order = self._order(held.entry_id)
            return reruns.Made(self._run(self._parts, order), order.fresh)
        except Exception as error:
            logger.exception("re-run %s failed", held.rerun_id)
            return reruns.Made(Rerun("", Verdict.FAULT, detail=f"{type(error).__name__}: {error}"))

    def _order(self, entry_id: str) -> RerunOrder:
        with read_session(self._parts.database) as session:
            entry = session.get_one(CompetitionEntry, entry_id)
            competition = competition_of(self._parts.catalogue, entry.offering)
        if competition is None or entry.source_sha256 is None:
            raise LookupError(f"entry {entry_id} has no source or no competition to be run in")
        fresh = ready_fresh(self._parts.config, competition)
        return RerunOrder(competition, fresh, entry.sha256, entry.source_sha256)


def run_source(parts: WorkerParts, order: RerunOrder) -> Rerun:
    """Run an entry again by the engine; whatever it raises is a fault of ours."""
    assignment, rules = order.competition.lab.assignment, order.competition.rules
    sets = read_fresh(parts.config, order.competition, order.fresh)
    claimed, source = parts.store.get(order.sha256), parts.store.get(order.source_sha256)
    try:
        entry = read_entry("", claimed, source, assignment, rules, sets.term.labels.ids)
    except Rejected as refused:
        return Rerun("", Verdict.REFUSED, detail=str(refused))
    except TableError:
        raise LookupError("its predictions no longer fit the labels that are installed") from None
    ours = (parts.config.instance, parts.config.home / REFERENCE)
    minimum = Tier(parts.config.minimum_tier)
    with SourceRunner(assignment, rules, minimum_tier=minimum, conceal=ours) as runner:
        return rerun(runner, rules.metric, entry, sets.term, sets.fresh)
