"""Folders on disk: regular files only; links are never followed."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from grader.errors import Rejected
from grader.intake.archive import MOST_ENTRIES
from grader.intake.candidate import Candidate
from grader.intake.names import made_by_tools
from grader.text import shown


def list_folder(folder: Path) -> tuple[list[Candidate], list[str]]:
    """Return the regular files below a folder, and notices on what was passed over.

    Raises Rejected if there are too many files or the folder cannot be read.
    """
    candidates: list[Candidate] = []
    notices: list[str] = []
    for entry, name in _walk(folder):
        info = entry.stat(follow_symlinks=False)
        if stat.S_ISREG(info.st_mode):
            read = partial(_read_below, folder, name, info.st_size)
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


def list_parts(parts: Sequence[tuple[str, Path]]) -> tuple[list[Candidate], list[str]]:
    """Return what files and folders offer, each given as (name it was sent by, path), and notices.

    Raises Rejected if there are too many files, two of one name, or a folder cannot be read.
    """
    candidates: list[Candidate] = []
    notices: list[str] = []
    for sent, path in parts:
        if path.is_dir():
            offered, passed_over = list_folder(path)
            before = f"{sent}/" if sent else ""
            candidates += [replace(one, name=f"{before}{one.name}") for one in offered]
        else:
            offered, passed_over = _one_file(sent, path)
            candidates += offered
        notices += passed_over
    if len(candidates) > MOST_ENTRIES:
        raise Rejected([f"More than {MOST_ENTRIES:,} files. Hand in only the lab's own files."])
    counts = Counter(candidate.name for candidate in candidates)
    if twice := [name for name, count in counts.items() if count > 1]:
        raise Rejected([f"{shown(name)} was sent twice; keep one of them." for name in twice[:10]])
    return candidates, notices


def _one_file(sent: str, path: Path) -> tuple[list[Candidate], list[str]]:
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        return [], [f"{shown(sent)} is not a regular file and was passed over."]
    return [Candidate(sent, info.st_size, partial(read_regular, path, info.st_size))], []


def _walk(folder: Path) -> Iterator[tuple[os.DirEntry[str], str]]:
    """Yield everything but folders, in a fixed order; folders of tools are not entered.

    Folders wait in a list, not in nested calls: there may be a thousand of them in each other.
    """
    waiting = _listing(folder, "")
    while waiting:
        entry, name = waiting.pop()
        if not entry.is_dir(follow_symlinks=False):
            yield entry, name
        elif not made_by_tools(entry.name):
            waiting.extend(_listing(Path(entry.path), f"{name}/"))


def _listing(folder: Path, prefix: str) -> list[tuple[os.DirEntry[str], str]]:
    """Return a folder's entries with their names from the top, the first one last."""
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name, reverse=True)
    except OSError as error:
        raise Rejected([f"{shown(str(folder))} cannot be read: {error.strerror}."]) from None
    return [(entry, f"{prefix}{entry.name}") for entry in entries]


def _read_below(folder: Path, name: str, limit: int) -> bytes:
    """Read a file that was listed, step by step: a folder on the way may be a link by now."""
    *steps, last = name.split("/")
    if os.open not in os.supports_dir_fd:
        return read_regular(folder / name, limit)
    try:
        at = _enter(folder, steps)
    except OSError as error:
        raise Rejected([f"{shown(name)} cannot be read: {error.strerror}."]) from None
    try:
        return read_regular(Path(last), limit, at)
    finally:
        os.close(at)


def _enter(folder: Path, steps: Sequence[str]) -> int:
    """Return a descriptor of a folder below `folder`, which no link on the way leads to."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    for step in steps:
        above = at
        try:
            at = os.open(step, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=above)
        finally:
            os.close(above)
    return at


def read_regular(path: Path, limit: int, folder: int | None = None) -> bytes:
    """Return at most `limit` bytes of a regular file that is no link; else raise Rejected.

    `folder` is the descriptor of an open folder that `path` is relative to.
    """
    # Without O_NONBLOCK opening a pipe put in the file's place would wait for ever.
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        opened = os.open(path, flags | getattr(os, "O_BINARY", 0), dir_fd=folder)
        with open(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Rejected([f"{shown(path.name)} is not a regular file; hand in the file."])
            return file.read(limit)
    except OSError as error:
        raise Rejected([f"{shown(path.name)} cannot be read: {error.strerror}."]) from None
