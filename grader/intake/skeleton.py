"""The released files beside an upload: what was handed out, and what is still untouched."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from grader.errors import Rejected
from grader.intake.notebook import modules_of, without_mark
from grader.lab.given import given_file
from grader.lab.manifest import Assignment


def released(assignment: Assignment, path: str) -> bytes | None:
    """Return the handed-out copy of a file, None if the assignment has none."""
    file = given_file(assignment.folder, path)
    return file.read_bytes() if file.is_file() else None


def skeleton_of(assignment: Assignment) -> dict[str, bytes]:
    """Return the handed-out Python files, by manifest path."""
    python = [file.path for file in assignment.files if file.module]
    return {path: ours for path in python if (ours := released(assignment, path)) is not None}


def untouched(assignment: Assignment, path: str, content: bytes) -> bool:
    """Tell whether a file is still as handed out, as a file or as a cell of the notebook."""
    copies = (released(assignment, path), _released_cells(assignment).get(path))
    return any(copy is not None and same_text(copy, content) for copy in copies)


def same_text(one: bytes, other: bytes) -> bool:
    """Compare texts but for line ends, blank lines, a byte order mark and a cell's marker."""
    return one == other or _essence(one) == _essence(other)


def _essence(content: bytes) -> list[str]:
    text = content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
    return [line.rstrip() for line in without_mark(text).split("\n") if line.strip()]


def _released_cells(assignment: Assignment) -> Mapping[str, bytes]:
    file = assignment.folder / f"{assignment.slug}.ipynb"
    if not file.is_file():
        return {}
    paths = tuple(submitted.path for submitted in assignment.files)
    return _cells(file, file.stat().st_mtime_ns, paths)


@lru_cache(maxsize=32)
def _cells(file: Path, changed_ns: int, paths: tuple[str, ...]) -> Mapping[str, bytes]:
    """Read our own notebook once per version of it, `changed_ns`; its cells cost a second."""
    data = file.read_bytes()
    try:
        return modules_of(file.name, data, paths, len(data)).sources
    except Rejected:  # a handed-out notebook without graded cells says nothing about uploads
        return {}
