"""The engine's client and the live feed of one portal process, made when first needed.

They are not made at start: a server that forks its workers after loading the app would share
their threads and connections among processes that each need their own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from flask import Flask, current_app

from portal.platform.engine import DbosEngine, JobEngine, prepare
from portal.platform.web import portal
from portal.runs.live import MAX_STREAMS, LiveFeed

EXTENSION = "portal.runs"
STREAMS_SETTING = "LIVE_STREAMS"  # how many streams the server has threads to spare for
FEW_STREAMS = 8  # if nobody says: each takes a thread, and the other pages need some too

_MAKING = threading.Lock()


@dataclass(frozen=True)
class Parts:
    """What this feature adds to the app."""

    jobs: DbosEngine
    feed: LiveFeed


def engine_jobs() -> JobEngine:
    """Return the engine that delivers this app's runs.

    Ask before a write transaction begins: made for the first time, the engine looks after its own
    tables, and would wait for the end of that transaction.
    """
    return _parts().jobs


def live_feed() -> LiveFeed:
    """Return this process's live feed."""
    return _parts().feed


def close(app: Flask) -> None:
    """Give back what this feature holds: the feed's thread, and the connections of both."""
    parts = app.extensions.pop(EXTENSION, None)
    if isinstance(parts, Parts):
        parts.feed.stop()
        parts.jobs.close()


def _parts() -> Parts:
    with _MAKING:
        parts = current_app.extensions.get(EXTENSION)
        if not isinstance(parts, Parts):
            prepare(portal().config.database_url)
            limit = int(current_app.config.get(STREAMS_SETTING, FEW_STREAMS))
            parts = Parts(
                jobs=DbosEngine(portal().config.database_url),
                feed=LiveFeed(
                    portal().engine, max_streams=min(limit, MAX_STREAMS), clock=portal().clock
                ),
            )
            current_app.extensions[EXTENSION] = parts
        return parts
