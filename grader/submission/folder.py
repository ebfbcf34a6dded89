"""Folders on disk: regular files only; links are never followed."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from grader.errors import Rejected
from grader.submission.archive import MOST_ENTRIES
from grader.submission.candidate import Candidate
from grader.submission.names import made_by_tools
from grader.text import shown


def list_folder(folder: Path) -> tuple[list[Candidate], list[str]]:
    """Return the regular files below a folder, and notices on what was passed over.

    Raises Rejected if there are too many files or the folder cannot be read.
    """
    candidates: list[Candidate] = []
    notices: list[str] = []
    for entry, name in _walk(folder, ""):
        info = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(info.st_mode):
            read = partial(read_regular, Path(entry.path), info.st_size)
            candidates.append(Candidate(name, info.st_size, read))
        else:
            what = "a link" if entry.is_symlink() else "a device, pipe or socket"
            notices.append(f"{shown(name)} is {what} and was passed over; hand in the file itself.")
        if len(candidates) + len(notices) > MOST_ENTRIES:
            raise Rejected(
                [
                    f"{shown(folder.name)} holds more than {MOST_ENTRIES:,} files. "
                    f"Hand in only the lab's own files."
                ]
            )
    return candidates, notices


def _walk(folder: Path, prefix: str) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield everything but folders, in a fixed order; folders of tools are not entered."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise Rejected([f"{shown(str(folder))} cannot be read: {error.strerror}."]) from None
    for entry in entries:
        name = f"{prefix}{entry.name}"
        if not entry.is_dir(follow_symlinks=False):
            yield entry, name
        elif not made_by_tools(entry.name):
            yield from _walk(Path(entry.path), f"{name}/")


def read_regular(path: Path, limit: int) -> bytes:
    """Return at most `limit` bytes of a regular file that is no link; else raise Rejected."""
    # Without O_NONBLOCK opening a pipe put in the file's place would wait for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0)), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Rejected([f"{shown(path.name)} is not a regular file; hand in the file."])
            return file.read(limit)
    except OSError as error:
        raise Rejected([f"{shown(path.name)} cannot be read: {error.strerror}."]) from None
