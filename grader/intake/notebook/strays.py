"""Code outside the marked cells: what a graded file lacks is added to it, or named in a notice.

In a notebook all cells share their names, so a file may lean on a cell that is not marked. A cell
that does nothing but define what the skeleton of a file has, and the file's own cell has not, is
part of that file. Whatever else a file needs is left where it is, and named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.intake.limited import run_limited
from grader.intake.notebook import bindings
from grader.intake.notebook.bindings import Bindings
from grader.intake.notebook.cells import NotebookCell
from grader.text import shown

_SCRIPT = Path(bindings.__file__).read_text(encoding="utf-8")
_MOST_NAMED = 6


@dataclass
class GradedFile:
    """A file as its marked cells make it; `asked` are the names that its skeleton defines."""

    path: str
    text: str
    asked: frozenset[str] = frozenset()
    defines: set[str] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    needs: set[str] = field(default_factory=set)

    @property
    def lacks(self) -> set[str]:
        """What it uses or is asked for, and nobody has given it."""
        return (self.needs | self.asked) - self.defines - self.imports

    def learn(self, known: Bindings) -> None:
        """Add what a text of the file does with names."""
        self.defines |= set(known["defines"])
        self.imports |= set(known["imports"])
        self.needs |= set(known["needs"])


@dataclass(frozen=True)
class Stray:
    """A code cell without a mark: its text as Python, and its names if it is Python at all."""

    cell: NotebookCell
    text: str
    bindings: Bindings | None


def names_in(texts: Iterable[str]) -> list[Bindings | None]:
    """Return the names of each text; None for those that are not Python or cannot be read."""
    texts = list(texts)
    answer = run_limited(_SCRIPT, json.dumps(texts).encode())
    return json.loads(answer) if answer else [None] * len(texts)


def gather(label: str, files: Sequence[GradedFile], strays: Sequence[Stray]) -> list[str]:
    """Add to the files what is theirs, and return notices on that and on the rest."""
    readable = [(stray, stray.bindings) for stray in strays if stray.bindings]
    notices, left = [], []
    for stray, names in readable:
        owner = next((file for file in files if _belongs(names, file)), None)
        if owner is None:
            left.append((stray, names))
            continue
        given = _named(owner.lacks & set(names["defines"]))
        owner.text = f"{owner.text}\n\n{stray.text}"
        owner.learn(names)
        notices.append(
            f"{label}, cell {stray.cell.number}: it has no mark and defines {given}; it was added "
            f"to {owner.path}, whose own cell lacks that."
        )
    return [*notices, *_notices_on(label, files, left)]


def _belongs(names: Bindings, file: GradedFile) -> bool:
    """Tell whether a cell is a part of a file that was cut off, and nothing besides."""
    defines = set(names["defines"])
    missing = file.asked - file.defines - file.imports
    return names["only_defines"] and bool(defines & missing) and not defines & file.defines


def _notices_on(
    label: str, files: Sequence[GradedFile], left: Sequence[tuple[Stray, Bindings]]
) -> list[str]:
    notices, known = [], set()
    for stray, names in left:
        where = f"{label}, cell {stray.cell.number}: it has no mark"
        for file in files:
            wanted = {*names["defines"], *names["imports"]} & file.lacks
            new = {name for name in wanted if (file.path, name) not in known}
            known |= {(file.path, name) for name in new}
            if new:
                notices.append(
                    f"{where} and defines {_named(new)}, which {file.path} needs. It is not "
                    f"graded: move that into the cell of {file.path}."
                )
            changed = {*names["defines"]} & file.asked | {*names["changes"]}
            if changed & file.defines:
                notices.append(
                    f"{where} and changes {_named(changed & file.defines)} of {file.path}. It is "
                    f"not graded: make the change in the cell of {file.path}."
                )
    return notices


def _named(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = len(ordered) - _MOST_NAMED
    listed = ", ".join(shown(name) for name in ordered[:_MOST_NAMED])
    return f"{listed} and {more} more" if more > 0 else listed


def likeliest(asked: frozenset[str], strays: Sequence[Stray]) -> tuple[Stray, str] | None:
    """Return the cell that defines the most of a skeleton's names, half of them at least."""
    found = [
        (len(common), stray, _named(common))
        for stray in strays
        if stray.bindings and (common := asked & set(stray.bindings["defines"]))
    ]
    most = max(found, key=lambda one: one[0], default=None)
    return most[1:] if most and 2 * most[0] >= len(asked) else None


def asked_by(skeleton: Mapping[str, bytes]) -> dict[str, frozenset[str]]:
    """Return the names that each handed-out file defines, by path."""
    known = names_in(text.decode("utf-8-sig", "replace") for text in skeleton.values())
    return {
        path: frozenset(names["defines"]) if names else frozenset()
        for path, names in zip(skeleton, known, strict=True)
    }
