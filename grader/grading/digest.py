"""The digest of everything of ours that decides a grade."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from grader.errors import GradingError
from grader.lab.catalogue import Lab
from grader.lab.given import DATASETS, REFERENCE, given_file
from grader.lab.manifest import MANIFEST_NAME

GIVEN = "given"  # how names of files begin, as do REFERENCE and DATASETS

# What proves a suite decides no grade: solutions, right and wrong, and what calibrating them found.
_NO_PART = frozenset(
    {"__pycache__", "mutants", "equivalent.toml", "baselines", "variants", "calibration.json"}
)


def suite_digest(lab: Lab) -> str:
    """Return the SHA-256 over manifest, given files, reference, hidden suite and loaders of data.

    Raises GradingError on a machine without the staff's half of the lab.
    """
    total = hashlib.sha256()
    for name, file in sorted(lab_files(lab)):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def suite_stamp(lab: Lab) -> str:
    """Return what changes whenever `suite_digest` may have: names, sizes and times of the files."""
    total = hashlib.sha256()
    for name, file in sorted(lab_files(lab)):
        known = file.stat()
        total.update(f"{name}\0{known.st_size}\0{known.st_mtime_ns}\0{known.st_ino}\n".encode())
    return total.hexdigest()


def lab_files(lab: Lab) -> Iterator[tuple[str, Path]]:
    """Yield the files behind the digest, each with a name that says what it is to the lab."""
    if lab.reference is None:
        raise GradingError(f"{lab.assignment.slug}: no reference and no hidden suite here")
    yield MANIFEST_NAME, lab.public / MANIFEST_NAME
    for given in lab.assignment.given:
        yield f"{GIVEN}/{given.path}", given_file(lab.public, given.path)
    yield from _below(lab.reference, REFERENCE)
    yield from _below(lab.reference.parent / DATASETS, DATASETS)  # shared by the course's labs


def _below(folder: Path, name: str) -> Iterator[tuple[str, Path]]:
    for file in folder.rglob("*"):
        path = file.relative_to(folder)
        if file.is_file() and not _NO_PART & set(path.parts):
            yield f"{name}/{path.as_posix()}", file
