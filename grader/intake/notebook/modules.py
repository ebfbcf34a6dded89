"""Notebooks read as modules, without running anything.

A graded cell is tagged with its file's name (``layers.py`` or ``fnn/layers.py``) or begins with
``# file: layers.py`` (`marks`). What only IPython runs becomes a comment (`commands`); code that
a file needs and that stands in no marked cell is found and named (`strays`, `lost`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.errors import Rejected
from grader.intake.limited import run_limited
from grader.intake.notebook import commands
from grader.intake.notebook.cells import SAVE_AGAIN, NotebookCell, read_cells
from grader.intake.notebook.lost import why_lost
from grader.intake.notebook.marks import appends, mark_of, path_of
from grader.intake.notebook.strays import GradedFile, Stray, asked_by, gather, names_in
from grader.text import shown

_SCRIPT = Path(commands.__file__).read_text(encoding="utf-8")
_MOST_LISTED = 10  # notices, or numbers of cells in a sentence: each line of a cell could be one

Python = tuple[str, list[str]]  # a text, and the lines taken out of it, which were commands


@dataclass(frozen=True)
class NotebookModules:
    """The files a notebook holds."""

    sources: Mapping[str, bytes]  # by path: of the manifest, or of a module of the student's own
    code_cells: int
    notices: tuple[str, ...] = field(default=())
    lost: Mapping[str, str] = field(default_factory=dict)  # why a path has no cell, where it shows


def modules_of(
    name: str,
    data: bytes,
    paths: Sequence[str],
    limit: int,
    skeleton: Mapping[str, bytes] | None = None,
    own: Callable[[str], str | None] = lambda name: None,
) -> NotebookModules:
    """Return the modules a notebook holds for the Python files in `paths` (manifest paths).

    `limit` caps the notebook in bytes; `skeleton` is what was handed out, by path; `own` says for
    another name which module of the student's own it means. Raises Rejected if it cannot be read,
    holds no code, or gives one file twice; a file it does not give is no fault here.
    """
    label = shown(name)
    python = [path for path in paths if path.endswith(".py")]
    cells = read_cells(label, data, limit)
    code = [cell for cell in cells if cell.is_code]
    marked, notices = _by_path(label, code, python, own)
    doubled = [path for path, found in marked.items() if _begin(found) > 1]
    if any(path in python for path in doubled):
        raise Rejected([_doubled(label, path, marked[path]) for path in doubled])
    notices += [_doubled(label, path, marked.pop(path)) for path in doubled]
    asked = asked_by(skeleton or {})
    files = []
    for path, cells_of_it in _python_of(marked).items():
        text = "\n".join(text for _, (text, _) in cells_of_it)
        files.append(GradedFile(path, text, asked.get(path, frozenset())))
        for cell, (_, taken_out) in cells_of_it:
            notices.extend(_neutralised(label, cell, path, taken_out))
    strays = _strays([cell for cell in code if not _names(cell, python)])
    _learn(files)
    notices.extend(gather(label, files, strays))
    lost = why_lost(label, python, [p for p in python if p not in marked], cells, strays, asked)
    if not code and not lost:
        raise Rejected([f"{label} has no code in it: no code cell was saved. {SAVE_AGAIN}."])
    sources = {file.path: file.text.encode("utf-8", "replace") for file in files}
    return NotebookModules(sources, len(code), _few(label, notices), lost)


def _by_path(
    label: str,
    cells: Sequence[NotebookCell],
    paths: Sequence[str],
    own: Callable[[str], str | None],
) -> tuple[dict[str, list[NotebookCell]], list[str]]:
    """Sort graded cells by the path they name; notices on names that are not known."""
    found: dict[str, list[NotebookCell]] = defaultdict(list)
    notices = []
    for cell in cells:
        named = _names(cell, paths)
        known = {path for name in named if (path := path_of(name, paths) or own(name))}
        for path in known:
            found[path].append(cell)
        if named and not known:
            notices.append(
                f"{label}, cell {cell.number}: it is marked for {shown(', '.join(sorted(named)))}, "
                f"which is not a file of this assignment; the cell is not graded."
            )
    return found, notices


def _names(cell: NotebookCell, paths: Sequence[str]) -> set[str]:
    """Return the Python files a cell is marked for; a comment on another file is no mark."""
    mark = mark_of(cell.source)
    named = {tag for tag in cell.tags if tag.endswith(".py")} | ({mark["name"]} if mark else set())
    return {name for name in named if name.lower().endswith(".py") or path_of(name, paths)}


def _begin(cells: Sequence[NotebookCell]) -> int:
    """Return how many cells begin a file; others add to it."""
    marks = [mark_of(cell.source) for cell in cells]
    return sum(mark is None or not appends(mark) for mark in marks)


def _python_of(
    marked: Mapping[str, Sequence[NotebookCell]],
) -> dict[str, list[tuple[NotebookCell, Python]]]:
    """Return each file's cells with their Python.

    All are read in one process. If one of them is its end, each is read in one of its own, so that
    it spoils no other.
    """
    sources = [
        _with_plain_mark(cell.source, path) for path, found in marked.items() for cell in found
    ]
    together = _read_as_python(sources)
    texts = iter(together or [_as_python([source])[0] for source in sources])
    return {path: [(cell, next(texts)) for cell in found] for path, found in marked.items()}


def _with_plain_mark(source: str, path: str) -> str:
    """Return a cell whose mark is a comment, also where it was ``%%writefile``."""
    mark = mark_of(source)
    if mark and mark.string.lstrip().startswith("%%"):
        source = source.replace(mark.string, f"# file: {path}", 1)
    return source.rstrip() + "\n"


def _as_python(sources: Sequence[str]) -> list[Python]:
    """Return each text as Python; as it is if that fails."""
    return _read_as_python(sources) or [(source, []) for source in sources]


def _read_as_python(sources: Sequence[str]) -> list[Python] | None:
    answer = run_limited(_SCRIPT, json.dumps(sources).encode())
    return json.loads(answer) if answer else None


def _strays(cells: Sequence[NotebookCell]) -> list[Stray]:
    texts = [text for text, _ in _as_python([cell.source.rstrip() + "\n" for cell in cells])]
    found = zip(cells, texts, names_in(texts), strict=True)
    return [Stray(cell, text, names) for cell, text, names in found]


def _learn(files: Sequence[GradedFile]) -> None:
    for file, names in zip(files, names_in(file.text for file in files), strict=True):
        if names:
            file.learn(names)


def _few(label: str, notices: Sequence[str]) -> tuple[str, ...]:
    more = len(notices) - _MOST_LISTED
    if more <= 0:
        return tuple(notices)
    return (*notices[:_MOST_LISTED], f"{label}: {more:,} more lines or cells like these.")


def _doubled(label: str, path: str, cells: Sequence[NotebookCell]) -> str:
    numbers = " and ".join(str(cell.number) for cell in cells[:_MOST_LISTED])
    if len(cells) > _MOST_LISTED:
        numbers += f" and {len(cells) - _MOST_LISTED:,} more"
    return (
        f"{label}: cells {numbers} are all marked as {path}, so it is not clear which one to "
        f"grade. Put all of {path} into one cell and remove the other marks. (Cells are "
        f"counted from the top, text cells included.)"
    )


def _neutralised(label: str, cell: NotebookCell, path: str, lines: Sequence[str]) -> list[str]:
    return [
        f"{label}, cell {cell.number} ({path}): the notebook command '{shown(line)}' cannot run in "
        f"a module and was turned into a comment. Move it to another cell."
        for line in lines
    ]
