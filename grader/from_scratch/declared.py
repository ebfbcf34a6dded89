"""What each file was to do without, as the manifest says it and with the other names for it."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lab.manifest import Assignment
from grader.lab.operators import same_work


@dataclass(frozen=True)
class Declared:
    """One file that is to be written from scratch."""

    path: str  # as the manifest names it
    module: str  # dotted
    names: tuple[str, ...]  # forbidden, with every other name of the same work


def declared(assignment: Assignment) -> tuple[Declared, ...]:
    """Return the files with something forbidden, in the manifest's order."""
    return tuple(
        Declared(file.path, file.module, same_work(file.from_scratch))
        for file in assignment.files
        if file.from_scratch and file.module
    )
