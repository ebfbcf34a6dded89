"""Writes a grading's progress into the event table: a few steps, at times nobody has chosen.

A hidden test lasts as long as the student's code likes. Told when each one ends, its author would
read hidden inputs off the clock.
"""

from __future__ import annotations

import logging
import threading
from types import TracebackType
from typing import Self

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from grader.api import GradingProgress
from portal.platform.db import utc_now, write_session
from portal.platform.errors import PortalError
from portal.runs import service

SECONDS_BETWEEN = 10.0
STEPS = 4  # of the time that all tests may take; the last one is the result itself

logger = logging.getLogger(__name__)


class ProgressWriter:
    """Takes every progress of one claim; inside ``with``, a thread tells how far it has come.

    The beginning is told at once, a further quarter when `seconds` have passed again.
    Progress is a courtesy: a database that does not take it must not fail the grading.
    """

    def __init__(
        self, database: Engine, claim: service.Claim, *, seconds: float = SECONDS_BETWEEN
    ) -> None:
        self._database = database
        self._claim = claim
        self._seconds = seconds
        self._newest: GradingProgress | None = None
        self._told = -1  # step
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._tell_now_and_then, name="progress")

    def __call__(self, progress: GradingProgress) -> None:
        """Take in `progress`; nothing of a submission has run before the first one."""
        first = self._newest is None
        self._newest = progress
        if first:
            self.tell()

    def tell(self) -> None:
        """Record the step that is reached if it has not been told."""
        newest = self._newest
        step = int(STEPS * newest.share) if newest else 0
        if newest is None or step in (self._told, STEPS):
            return
        self._told = step
        try:
            with write_session(self._database) as session:
                service.progress(session, self._claim, done=step, total=STEPS, now=utc_now())
        except (SQLAlchemyError, PortalError):
            logger.warning("progress of run %s was not recorded", self._claim.run_id, exc_info=True)

    def _tell_now_and_then(self) -> None:
        while not self._ended.wait(self._seconds):
            self.tell()

    def __enter__(self) -> Self:
        """Begin to count the time."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Tell nothing more."""
        self._ended.set()
        self._thread.join()
