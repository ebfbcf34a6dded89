"""The name of a worker process: unique among the living, the same again after a restart.

The engine hands what a worker had taken back to the worker of the same name. A name shared by two
living processes would make each take the other's work for its own, lost in a crash; a fresh name
at every start would leave it to wait for a watcher.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path


@contextmanager
def executor_name(folder: Path) -> Iterator[str]:
    """Hold the first free name of this host and instance until the block, or the process, ends."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    number, handle = _first_free(folder)
    try:
        yield f"{socket.gethostname()}-{place}-{number}"
    finally:
        os.close(handle)  # which gives the lock back


def _first_free(folder: Path) -> tuple[int, int]:
    for number in count():
        handle = os.open(folder / f"{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
        else:
            return number, handle
    raise AssertionError("count() does not end")
