"""The digest of everything of ours that decides a grade."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from grader.assignment import MANIFEST_NAME
from grader.catalogue import Lab
from grader.errors import GradingError

_NO_PART = frozenset({"__pycache__", "mutants"})


def suite_digest(lab: Lab) -> str:
    """Return the SHA-256 over manifest, given files, reference and hidden suite.

    Raises GradingError on a machine without the staff's half of the lab.
    """
    total = hashlib.sha256()
    for name, file in sorted(_files(lab)):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def _files(lab: Lab) -> Iterator[tuple[str, Path]]:
    if lab.reference is None:
        raise GradingError(f"{lab.assignment.slug}: no reference and no hidden suite here")
    yield MANIFEST_NAME, lab.public / MANIFEST_NAME
    for given in lab.assignment.given:
        yield f"given/{given.path}", lab.public / given.path
    for file in lab.reference.rglob("*"):
        path = file.relative_to(lab.reference)
        if file.is_file() and not _NO_PART & set(path.parts):
            yield f"reference/{path.as_posix()}", file
