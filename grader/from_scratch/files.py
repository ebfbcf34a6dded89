"""The files that are to be written from scratch, and what each must do without."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lab.manifest import Assignment
from grader.lab.operators import same_work


@dataclass(frozen=True)
class FromScratchFile:
    """One file that is to be written from scratch."""

    path: str  # as the manifest names it
    module: str  # dotted
    forbidden: tuple[str, ...]  # as the manifest says, with every other name of the same work


def from_scratch_files(assignment: Assignment) -> tuple[FromScratchFile, ...]:
    """Return the files with something forbidden, in the manifest's order."""
    return tuple(
        FromScratchFile(file.path, file.module, same_work(file.from_scratch))
        for file in assignment.files
        if file.from_scratch and file.module
    )
