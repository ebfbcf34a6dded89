"""Writes a grading's progress into the event table, not more often than a reader can follow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from grader.api import GradingProgress
from portal.platform.db import utc_now, write_session
from portal.platform.errors import PortalError
from portal.runs import service

SECONDS_BETWEEN = 0.5

logger = logging.getLogger(__name__)


class ProgressWriter:
    """Takes every progress of one claim and records the first, the last and some in between.

    Progress is a courtesy: a database that does not take it must not fail the grading.
    """

    def __init__(
        self,
        database: Engine,
        claim: service.Claim,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._claim = claim
        self._clock = clock
        self._last: float | None = None

    def __call__(self, progress: GradingProgress) -> None:
        """Record `progress` if it is time."""
        now = self._clock()
        due = self._last is None or now - self._last >= SECONDS_BETWEEN
        if not (due or progress.done == progress.total):
            return
        self._last = now
        try:
            with write_session(self._database) as session:
                service.progress(
                    session, self._claim, done=progress.done, total=progress.total, now=utc_now()
                )
        except (SQLAlchemyError, PortalError):
            logger.warning("progress of run %s was not recorded", self._claim.run_id, exc_info=True)
