"""Names the state of a hidden suite, so that a run says which suite it was graded by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from grader.assignment import MANIFEST_NAME
from grader.catalogue import Lab


def suite_digest(lab: Lab) -> str:
    """Return the SHA-256 over the manifest, the reference and the suite; Python files by path."""
    total = hashlib.sha256()
    for name, file in _files(lab):
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        total.update(f"{name}\0{content}\n".encode())
    return total.hexdigest()


def _files(lab: Lab) -> list[tuple[str, Path]]:
    files = [(MANIFEST_NAME, lab.public / MANIFEST_NAME)]
    if lab.reference is not None:
        files += [
            (str(file.relative_to(lab.reference)), file)
            for file in sorted(lab.reference.rglob("*.py"))
            if lab.mutants not in file.parents
        ]
    return files
