"""Notebooks read as modules, without running anything.

A graded cell is tagged with its file's name (``layers.py`` or ``fnn/layers.py``) or starts with
``# file: layers.py``. Outputs, other cells and all metadata but the tags are dropped before
anything of ours looks at the notebook, and a fresh one is built from the rest: metadata could
otherwise tell the converter to leave shell commands live.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import jupytext  # type: ignore[import-untyped]
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from grader.errors import Rejected
from grader.intake.limited import run_limited
from grader.intake.syntax import syntax_fault
from grader.text import megabytes, shown

MARKER = re.compile(r"\s*(?:#\s*file:|%%writefile)[ \t]+(\S+)[ \t]*(?:\n|$)")

# Ours decides how cells are converted, never the notebook's own metadata.
_CONVERT = {
    "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"},
    "jupytext": {
        "comment_magics": True,
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "-all",
    },
}

MOST_CELLS = 2000  # checking one costs more than its bytes say; nobody writes so many
_MOST_TOLD = 10  # notices, or numbers of cells in a sentence: each line of a cell could be one

_SAVE_AGAIN = "Open it in Jupyter, save it (Ctrl+S) and upload the saved file"

# Keeps of a notebook what grading needs, as a notebook of format 4.4. Runs in the limited child,
# since JSON nested deep or made of millions of tiny lists costs far more memory than its bytes.
_SLIM = (
    f"MOST_CELLS = {MOST_CELLS}"
    """
import json, sys
book = json.loads(sys.stdin.buffer.read().decode("utf-8-sig"))
version = int(book["nbformat"])
sheets = [book] if version > 3 else book["worksheets"]
def text(value):
    return "".join(value) if isinstance(value, list) else str(value)
def slim(cell):
    tags = (cell.get("metadata") or {}).get("tags") or []
    tags = [tag for tag in tags if isinstance(tag, str) and tag and "," not in tag]
    kept = {"metadata": {"tags": sorted(set(tags))}}
    kept["source"] = text(cell.get("source", cell.get("input", "")))
    if cell["cell_type"] == "code":
        return {**kept, "cell_type": "code", "outputs": [], "execution_count": None}
    return {**kept, "cell_type": "raw"}
cells = [slim(cell) for sheet in sheets for cell in sheet["cells"]][:MOST_CELLS + 1]
if not 2 <= version <= 4:
    cells = None
json.dump({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}, sys.stdout)
"""
)


@dataclass(frozen=True)
class NotebookCell:
    """A code cell: its place among all cells (from 1), its text and its tags."""

    number: int
    source: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class NotebookModules:
    """The files a notebook holds, each from one cell."""

    sources: Mapping[str, bytes]  # by manifest path
    code_cells: int
    notices: tuple[str, ...] = field(default=())


def modules_of(name: str, data: bytes, paths: Sequence[str], limit: int) -> NotebookModules:
    """Return the modules a notebook holds for the Python files in `paths` (manifest paths).

    `limit` caps the notebook in bytes. Raises Rejected if it cannot be read, holds no code, or
    gives one file twice; a file it does not give is no fault here.
    """
    label = shown(name)
    cells = _code_cells(label, _slim_notebook(label, data, limit))
    by_path, notices = _by_path(label, cells, [path for path in paths if path.endswith(".py")])
    doubled = [_doubled(label, path, found) for path, found in by_path.items() if len(found) > 1]
    if doubled:
        raise Rejected(doubled)
    sources: dict[str, bytes] = {}
    for path, (cell,) in by_path.items():
        source, changed = _as_python(cell.source)
        sources[path] = source.encode("utf-8", "replace")
        notices.extend(_neutralised(label, cell, path, changed))
    return NotebookModules(sources, len(cells), _told(label, notices))


def how_to_mark(path: str) -> str:
    """Say how a cell becomes a graded file."""
    return f"start the cell with the line '# file: {path}', or give it the tag '{path}'"


def _slim_notebook(label: str, data: bytes, limit: int) -> nbformat.NotebookNode:
    """Read any notebook into a small, fresh one of code and text cells."""
    if len(data) > limit:
        raise Rejected(
            [
                f"{label} has {megabytes(len(data))}; the limit is {megabytes(limit)}. Clear its "
                f"outputs (Kernel > Restart and Clear All Outputs), save and upload again."
            ]
        )
    if not data.strip():
        raise Rejected([f"{label} is empty: nothing was saved in it. {_SAVE_AGAIN}."])
    answer = run_limited(_SLIM, data)
    if answer is None:
        raise Rejected([f"{label} is damaged or is not a notebook. {_SAVE_AGAIN}."])
    try:
        notebook: nbformat.NotebookNode = nbformat.reads(  # type: ignore[no-untyped-call]
            answer.decode(), as_version=4
        )
    except Exception:  # a hostile text through a library whose exceptions are no closed set
        raise Rejected([f"{label} is of a format that is not known here. {_SAVE_AGAIN}."]) from None
    if len(notebook.cells) > MOST_CELLS:
        raise Rejected(
            [f"{label} has more than {MOST_CELLS:,} cells. Hand in only the cells of the lab."]
        )
    return notebook


def _code_cells(label: str, notebook: nbformat.NotebookNode) -> list[NotebookCell]:
    cells = [
        NotebookCell(
            number, cell.source.replace("\r\n", "\n"), tuple(cell.metadata.get("tags", ()))
        )
        for number, cell in enumerate(notebook.cells, start=1)
        if cell.cell_type == "code" and cell.source.strip()
    ]
    if not cells:
        raise Rejected([f"{label} has no code in it: no code cell was saved. {_SAVE_AGAIN}."])
    return cells


def _by_path(
    label: str, cells: Sequence[NotebookCell], paths: Sequence[str]
) -> tuple[dict[str, list[NotebookCell]], list[str]]:
    """Sort graded cells by the manifest path they name; notices on names that are not known."""
    found: dict[str, list[NotebookCell]] = defaultdict(list)
    notices = []
    for cell in cells:
        named = _names(cell)
        known = {path for name in named if (path := _path_of(name, paths))}
        for path in known:
            found[path].append(cell)
        if named and not known:
            notices.append(
                f"{label}, cell {cell.number}: it is marked for {shown(', '.join(sorted(named)))}, "
                f"which is not a file of this assignment; the cell is not graded."
            )
    return found, notices


def _names(cell: NotebookCell) -> set[str]:
    """Return the Python files a cell is marked for."""
    marker = MARKER.match(cell.source)
    return {tag for tag in cell.tags if tag.endswith(".py")} | ({marker[1]} if marker else set())


def _path_of(name: str, paths: Sequence[str]) -> str | None:
    """Return the manifest path that a name means: in full, or by its last part if only one fits."""
    if name in paths:
        return name
    fitting = [path for path in paths if path.rpartition("/")[2] == name]
    return fitting[0] if len(fitting) == 1 else None


def _told(label: str, notices: Sequence[str]) -> tuple[str, ...]:
    more = len(notices) - _MOST_TOLD
    if more <= 0:
        return tuple(notices)
    return (*notices[:_MOST_TOLD], f"{label}: {more:,} more lines or cells like these.")


def _doubled(label: str, path: str, cells: Sequence[NotebookCell]) -> str:
    numbers = " and ".join(str(cell.number) for cell in cells[:_MOST_TOLD])
    if len(cells) > _MOST_TOLD:
        numbers += f" and {len(cells) - _MOST_TOLD:,} more"
    return (
        f"{label}: cells {numbers} are all marked as {path}, so it is not clear which one to "
        f"grade. Put all of {path} into one cell and remove the other marks. (Cells are "
        f"counted from the top, text cells included.)"
    )


def _as_python(source: str) -> tuple[str, list[str]]:
    """Return a cell's text as a module, and the lines that were notebook commands.

    Text that is Python already stays as it is: the converter takes some honest lines, such as
    ``cp - 1`` within brackets, for shell commands.
    """
    if source.startswith("%%writefile"):
        source = "# file:" + source.removeprefix("%%writefile")
    source = source.rstrip() + "\n"
    if syntax_fault(source.encode("utf-8", "replace")) is None:
        return source, []
    cell = new_code_cell(source)  # type: ignore[no-untyped-call]
    notebook = new_notebook(cells=[cell], metadata=_CONVERT)  # type: ignore[no-untyped-call]
    converted = jupytext.writes(notebook, fmt="py:percent").split("\n", 1)[1].rstrip() + "\n"
    kept = set(converted.splitlines())
    return converted, [line.strip() for line in source.splitlines() if line not in kept]


def _neutralised(label: str, cell: NotebookCell, path: str, lines: Sequence[str]) -> list[str]:
    return [
        f"{label}, cell {cell.number} ({path}): the notebook command '{shown(line)}' cannot run in "
        f"a module and was turned into a comment. Move it to another cell."
        for line in lines
    ]
