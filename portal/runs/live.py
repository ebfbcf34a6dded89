"""Live progress for many pages at once: one thread reads the database and tells every stream.

A stream each asking the database would starve the server at some forty of them. Here a stream is
a thread that sleeps until the one poller wakes it. Beyond `max_streams` a page is told to poll.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine, func, select

from portal.platform.db import read_session, utc_now
from portal.runs.models import Event
from portal.runs.status import Status, statuses

MAX_STREAMS = 300
POLL_SECONDS = 0.3
# Statuses are read anew this often even if no event seems new: on PostgreSQL a transaction may
# commit an event with a lower id than one already seen.
REFRESH_SECONDS = 2.0
KEEP_ALIVE_SECONDS = 15.0  # a silent stream says something, which also finds out who has left

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class Stream:
    """One reader's place: holds the newest status it has not taken yet."""

    run_id: str
    seen: int  # id of the last event the reader knows of
    _news: threading.Event = field(default_factory=threading.Event)
    _status: Status | None = None

    def offer(self, status: Status) -> None:
        """Wake the reader if `status` tells it anything new."""
        if status == self._status:
            return
        known = self._status is None and status.event <= self.seen and not status.final
        self._status = status
        if not known:
            self._news.set()

    def take(self, timeout: float) -> Status | None:
        """Return the newest status, None if there is no news within `timeout` seconds."""
        if not self._news.wait(timeout):
            return None
        self._news.clear()
        return self._status


class LiveFeed:
    """The poller of one process and the streams it serves. Its thread starts with the first one."""

    def __init__(
        self,
        database: Engine,
        *,
        max_streams: int = MAX_STREAMS,
        keep_alive: float = KEEP_ALIVE_SECONDS,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._clock = clock
        self._max_streams = max_streams
        self._keep_alive = keep_alive
        self._streams: set[Stream] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def open(self, run_id: str, seen: int = 0) -> Stream | None:
        """Return a stream for a reader who knows the events up to `seen`.

        None if all are taken, or if the feed was stopped.
        """
        with self._changed:
            if self._stopped or len(self._streams) >= self._max_streams:
                return None
            stream = Stream(run_id, seen)
            self._streams.add(stream)
            if self._thread is None:
                self._thread = threading.Thread(target=self._poll, name="live", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return stream

    def read(self, stream: Stream, say: Callable[[Status], str] = Status.as_json) -> Iterator[str]:
        """Yield server-sent events until the run has ended or the reader has left."""
        try:
            yield "retry: 2000\n\n"
            while True:
                status = stream.take(self._keep_alive)
                yield ": still here\n\n" if status is None else _message(status, say(status))
                if status is not None and status.final:
                    return
        finally:
            self.close(stream)

    def close(self, stream: Stream) -> None:
        """Give a stream's place back."""
        with self._changed:
            self._streams.discard(stream)

    def stop(self) -> None:
        """End the poller and give back its connection. Streams still open hear nothing more."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def __len__(self) -> int:
        return len(self._streams)

    def _poll(self) -> None:
        known: frozenset[Stream] = frozenset()
        newest, refreshed = -1, 0.0
        while True:
            before, known = known, self._wait_for_readers(known)
            if self._stopped:
                return
            try:
                event = self._newest_event()
                due = time.monotonic() - refreshed >= REFRESH_SECONDS
                if event != newest or known != before or due:
                    self._tell(known)
                    newest, refreshed = event, time.monotonic()
            except Exception:
                logger.exception("live progress could not be read; it will be tried again")

    def _wait_for_readers(self, known: Collection[Stream]) -> frozenset[Stream]:
        """Sleep for a poll's length, without readers for as long as there are none."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._streams != known, POLL_SECONDS)
            self._changed.wait_for(lambda: self._stopped or bool(self._streams))
            return frozenset(self._streams)

    def _newest_event(self) -> int:
        with read_session(self._database) as session:
            return session.scalar(select(func.max(Event.id))) or 0

    def _tell(self, streams: Collection[Stream]) -> None:
        with read_session(self._database) as session:
            found = statuses(session, {stream.run_id for stream in streams}, now=self._clock())
        for stream in streams:
            if stream.run_id in found:
                stream.offer(found[stream.run_id])


def _message(status: Status, data: str) -> str:
    return f"id: {status.event}\nevent: status\ndata: {data}\n\n"
