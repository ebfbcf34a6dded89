"""What tests leave in the folders they may write to: removed before the next test can read it.

Files that the submission wrote when it was imported stay, as long as no test has changed them, and
so do its folders: every test finds what it would have found as the first.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress

_Place = tuple[str, str, int]  # path, name, and a descriptor of the folder it lies in


class Leftovers:
    """The writable folders of one sandbox, as the keeper sees them.

    Student code may swap a folder for a link at any time; everything is done below descriptors
    of folders, and no link is followed.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = tuple(folders)
        self._accepted: dict[str, tuple[int, ...]] = {}

    def accept(self) -> None:
        """Let what lies there now stay: the import has ended, and no test has begun."""
        self._accepted = {}
        with suppress(OSError, RecursionError):
            self._accepted = {path: _state(name, fd) for path, name, fd in self._places()}

    def remove(self) -> bool:
        """Remove all that is new or changed since `accept`; False if something would not go."""
        try:
            for path, name, fd in self._places():
                if self._accepted.get(path) != _state(name, fd):
                    _remove(name, fd)
        except (OSError, RecursionError):
            return False
        return True

    def _places(self) -> Iterator[_Place]:
        """Yield everything below the folders, what is in a folder before the folder itself."""
        for top in self._folders:
            for path, folders, files, fd in os.fwalk(top, topdown=False, onerror=_refuse):
                for name in (*files, *folders):
                    yield f"{path}/{name}", name, fd


def _refuse(error: OSError) -> None:
    raise error


def _state(name: str, fd: int) -> tuple[int, ...]:
    """Return what tells a folder from another, or a file from itself after any change."""
    known = os.lstat(name, dir_fd=fd)
    if stat.S_ISDIR(known.st_mode):
        return (known.st_ino,)
    return known.st_ino, known.st_ctime_ns  # the one time that nobody can set back


def _remove(name: str, fd: int) -> None:
    if stat.S_ISDIR(os.lstat(name, dir_fd=fd).st_mode):
        os.rmdir(name, dir_fd=fd)
    else:
        os.unlink(name, dir_fd=fd)
