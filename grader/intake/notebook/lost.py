"""Why a notebook has no cell for a file: what can be seen of the cell that was perhaps meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from grader.intake.notebook.cells import NotebookCell
from grader.intake.notebook.marks import MARK, how_to_mark, mark_of, path_of
from grader.intake.notebook.strays import Stray, likeliest
from grader.text import shown


def why_lost(
    label: str,
    paths: Sequence[str],
    absent: Sequence[str],
    cells: Sequence[NotebookCell],
    strays: Sequence[Stray],
    asked: Mapping[str, frozenset[str]],
) -> dict[str, str]:
    """Return a sentence for each of the `absent` paths whose cell shows itself.

    `cells` are all of the notebook, `strays` those of code without a mark.
    """
    found: dict[str, str] = {}
    for path in absent:
        sentence = (
            _as_text(label, path, paths, cells)
            or _in_the_middle(label, path, paths, cells)
            or _misspelt(label, path, paths, cells)
            or _unmarked(label, path, strays, asked.get(path, frozenset()))
        )
        if sentence:
            found[path] = sentence
    return found


def _as_text(label: str, path: str, paths: Sequence[str], cells: Sequence[NotebookCell]) -> str:
    for cell in cells:
        mark = None if cell.is_code else mark_of(cell.source)
        if mark and path_of(mark["name"], paths) == path:
            return (
                f"{label}, cell {cell.number}: it is marked for {path}, but it is a text cell and "
                f"no code. Select it, press Esc and then Y (or choose 'Code'), save and upload "
                f"again."
            )
    return ""


def _in_the_middle(
    label: str, path: str, paths: Sequence[str], cells: Sequence[NotebookCell]
) -> str:
    for cell in cells:
        for number, line in enumerate(cell.source.splitlines() if cell.is_code else (), start=1):
            mark = MARK.match(line)
            if mark and path_of(mark["name"], paths) == path:
                return (
                    f"{label}, cell {cell.number} line {number}: '{shown(line.strip())}' marks "
                    f"{path} only as the first line of a cell. Put it and all of {path} into a "
                    f"cell of their own."
                )
    return ""


def _misspelt(label: str, path: str, paths: Sequence[str], cells: Sequence[NotebookCell]) -> str:
    last = path.rpartition("/")[2]
    for cell in cells:
        mark = mark_of(cell.source)
        if mark is None or path_of(mark["name"], paths):
            continue
        name = mark["name"].replace("\\", "/").rpartition("/")[2]
        if get_close_matches(name.casefold(), [last.casefold()], cutoff=0.75):
            return (
                f"{label}, cell {cell.number}: it is marked for {shown(mark['name'])}. If that is "
                f"{path}, {how_to_mark(path)}."
            )
    return ""


def _unmarked(label: str, path: str, strays: Sequence[Stray], asked: frozenset[str]) -> str:
    found = likeliest(asked, strays)
    if not found:
        return ""
    stray, names = found
    return (
        f"{label}, cell {stray.cell.number}: it defines {names} of {path}, but has no mark. If it "
        f"is that file, {how_to_mark(path)}."
    )
