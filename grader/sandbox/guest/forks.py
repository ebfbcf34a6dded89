"""Forks without what libraries do around each of them, where that has nothing to put right.

`threading`, `logging`, `random`, torch and others register handlers that make locks new in a
fork, since another thread may have held them. They touch, and so copy, some 300 pages: a third of
what a fork of a process with torch costs. Where there is one thread they change nothing, but for
the seed of `random`, and every test seeds that anyway. Forks that student code makes itself run
all of them, as everywhere.
"""

from __future__ import annotations

import _thread  # not threading, which registers a handler
import os
from collections.abc import Callable
from typing import Any

_skipping = False


def intercept() -> None:
    """Wrap every handler that is registered from now on, and skip it until `heed` is called."""
    global _skipping
    _skipping = True
    register = os.register_at_fork

    def wrapped(**handlers: Callable[..., Any] | None) -> None:
        register(**{when: _unless_skipped(one) for when, one in handlers.items() if one})

    os.register_at_fork = wrapped


def _unless_skipped(handler: Callable[..., Any]) -> Callable[[], None]:
    def handle() -> None:
        if not _skipping:
            handler()

    return handle


def heed() -> None:
    """Run the handlers from now on: student code may fork."""
    global _skipping
    _skipping = False


def fork() -> int:
    """Fork, without the intercepted handlers unless this process has other threads.

    Returns the child's pid in the parent, 0 in the child.
    """
    global _skipping
    before = _skipping
    _skipping = before or _thread._count() == 0
    try:
        return os.fork()
    finally:
        _skipping = before
