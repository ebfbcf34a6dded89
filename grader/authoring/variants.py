"""What the model solution of a variant has of its own: ``reference/<slug>/variants/<name>/``.

A variant changes settings, not code, but an answer may name the variant (``VARIANT = "sin"``) or
hold figures that were measured on it (``results.csv``). The folder may hold files that replace
those of the reference by name, and an ``edit.toml`` with replacements as a mutant has them::

    title = "the study of sin x"

    [[replace]]
    file = "fnn/study.py"
    old = 'VARIANT = "sincos"'
    new = 'VARIANT = "sin"'

It decides no grade: only what validates and calibrates a suite reads it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from grader.authoring.mutants import ReferenceEdit, load_edit
from grader.errors import AuthoringError
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab

VARIANTS = "variants"
EDIT_NAME = "edit.toml"


def of_variant(lab: Lab, reference: Submission, variant: str | None) -> Submission:
    """Return the reference as somebody who was set this variant would hand it in.

    Raises ManifestError or AuthoringError where the variant's files do not fit the reference.
    """
    files = _own_files(lab, variant)
    edit = files.pop(EDIT_NAME, None)
    if edit is not None:
        try:
            reference = load_edit(edit, ReferenceEdit).apply(reference)
        except ValueError as error:
            raise AuthoringError([f"{edit}: {error}"]) from None
    replaced = {PurePosixPath(entry.path).name: entry.path for entry in lab.assignment.files}
    strangers = sorted(files.keys() - replaced.keys())
    if strangers:
        raise AuthoringError([f"{files[strangers[0]]}: no file of a submission has this name"])
    contents = {file.path: file.content for file in reference.files}
    contents |= {replaced[name]: file.read_bytes() for name, file in files.items()}
    return Submission(
        "reference", tuple(AcceptedFile(path, contents[path]) for path in sorted(contents))
    )


def own_digest(lab: Lab, variant: str | None) -> str:
    """Return the SHA-256 of what the reference has of its own for a variant; empty if nothing."""
    files = _own_files(lab, variant)
    if not files:
        return ""
    total = hashlib.sha256()
    for name, file in sorted(files.items()):
        total.update(f"{name}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return total.hexdigest()


def _own_files(lab: Lab, variant: str | None) -> dict[str, Path]:
    if lab.reference is None or variant is None:
        return {}
    folder = lab.reference / VARIANTS / variant
    return {file.name: file for file in folder.glob("*") if file.is_file()}
