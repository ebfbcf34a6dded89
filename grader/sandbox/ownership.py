"""Names for what a process makes on the host, so that a later one can remove the leftovers."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import psutil

FOLDER_PREFIX = "proctor-"  # of every folder we make among the temporary files

_numbers = itertools.count()
# Far above any account of the host, and different for every sandbox that lives at one time.
_FIRST_UID = 1_000_000_000


def own_name() -> str:
    """Return a fresh name that tells which process made it and when that process started."""
    me = psutil.Process()
    return f"{me.pid}-{int(me.create_time())}-{next(_numbers)}"


def owner_alive(name: str) -> bool:
    """Return whether the process that made something of this name still runs."""
    pid, _, rest = name.partition("-")
    started = rest.partition("-")[0]
    try:
        return int(psutil.Process(int(pid)).create_time()) == int(started)
    except (psutil.Error, ValueError):
        return False


def remove_tree(folder: Path) -> None:
    """Remove a folder, whatever student code has made of what lies below it.

    Folders nested deeper than Python can follow are left to `rm`, which does not recurse.
    """
    with suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        command = ["rm", "-rf", "--", str(folder)]
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)  # noqa: S603


def fresh_uid() -> int:
    """Return a user id that nothing on the host belongs to."""
    return _FIRST_UID + (os.getpid() % 4_000_000) * 100 + next(_numbers) % 100
