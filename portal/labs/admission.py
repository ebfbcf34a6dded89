"""Letting uploads in: a few at a time, some wait for their turn, and more are told to come back.

Reading an upload takes a core, and writing it down the one place to write. With as many at work as
come, each would take as long as all together, and at some hundreds nobody would be served.

Who is told to come back loses no time by it: when they do, their upload counts as sent when they
tried first. These instants, like the line, live in this process, which is the only one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from flask import current_app

from portal.people.login import me
from portal.platform.web import began, begin_at, end_reading

AT_WORK = 4
WAITING = 60  # each holds a thread of the web process, which has 300 more than it needs else
PATIENCE = 25.0  # seconds of waiting; proxies give up after 60
COMES_BACK = timedelta(minutes=3)  # within which who was sent away keeps the instant they came
EXTENSION = "proctor-uploads"
_Whose = tuple[int, int]  # the user and the lab's offering


class SentAway(Exception):
    """There was no place for an upload; it is to be sent again."""

    def __init__(self, first: datetime) -> None:
        super().__init__("no place for an upload")
        self.first = first  # when its sender tried first, which will count


@dataclass
class UploadLine:
    """The places at work, how many wait for one, and who was sent away when."""

    places: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_WORK))
    waiting: int = 0
    most: int = WAITING
    patience: float = PATIENCE
    _came: dict[_Whose, tuple[datetime, datetime]] = field(default_factory=dict)
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a place, and hold it for the length of the block; False if there is none."""
        if self.places.acquire(blocking=False) or self._wait():
            try:
                yield True
            finally:
                self.places.release()
        else:
            yield False

    def came(self, whose: _Whose, at: datetime) -> datetime:
        """Return when somebody came who comes now: earlier, if they were sent away since."""
        with self._guard:
            first, last = self._came.get(whose, (at, at))
        return first if at - last <= COMES_BACK else at

    def send_away(self, whose: _Whose, first: datetime, at: datetime) -> None:
        """Remember when somebody came who is sent away now."""
        with self._guard:
            self._came = {w: came for w, came in self._came.items() if at - came[1] <= COMES_BACK}
            self._came[whose] = first, at

    def forget(self, whose: _Whose) -> None:
        """Forget when somebody came first, who has their answer."""
        with self._guard:
            self._came.pop(whose, None)

    def _wait(self) -> bool:
        with self._guard:
            if self.waiting >= self.most:
                return False
            self.waiting += 1
        try:
            return self.places.acquire(timeout=self.patience)
        finally:
            with self._guard:
                self.waiting -= 1


@contextmanager
def admitted(offering_id: int) -> Iterator[None]:
    """Hold one of the places for uploads; the request begins when its sender first tried.

    Raises SentAway if too many wait already, or for too long.
    """
    line = cast(UploadLine, current_app.extensions.setdefault(EXTENSION, UploadLine()))
    whose, at = (me().id, offering_id), began()
    first = line.came(whose, at)
    end_reading()  # those who wait would hold all connections of those who work
    with line.turn() as mine:
        if not mine:
            line.send_away(whose, first, at)
            raise SentAway(first)
        begin_at(first)
        yield
    line.forget(whose)
