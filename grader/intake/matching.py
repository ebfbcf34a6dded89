"""Which names of an upload are the files a manifest asks for. Looks at names, never at bytes.

A name fits a manifest path in full, below any folders (``hw1/fnn/layers.py``), or, if nothing
does, by its last part alone (``layers.py``) where that is unambiguous.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from grader.intake.names import is_notebook, made_by_tools
from grader.intake.own import own_modules
from grader.lab.manifest import Assignment
from grader.text import shown, shown_list

# What a file of a kind is saved as by mistake.
_KINDRED = {
    "csv": ("csv", "tsv", "xls", "xlsx", "ods", "numbers"),
    "md": ("md", "markdown", "pdf", "doc", "docx", "odt", "rtf", "tex", "pages"),
    "png": ("png", "jpg", "jpeg", "svg", "gif", "webp", "bmp"),
}
_LEAST_WORD = 4  # letters; shorter ones stand in too many names


@dataclass(frozen=True)
class Matching:
    """The names of an upload, sorted by what becomes of them."""

    taken: dict[str, str]  # manifest path -> name in the upload
    given: dict[str, str]  # path of a given file -> name of the student's copy
    own: dict[str, str]  # path of a module of the student's own -> name in the upload
    notebooks: tuple[str, ...]
    others: tuple[str, ...]  # not graded
    clashes: tuple[str, ...]  # sentences: two names for one manifest path


def match(names: Sequence[str], assignment: Assignment) -> Matching:
    """Sort the names of an upload (relative, forward slashes)."""
    offered = [name for name in names if not made_by_tools(name)]
    taken: dict[str, str] = {}
    clashes = []
    for path in (file.path for file in assignment.files):
        fitting = _fitting(path, offered, assignment)
        if len(fitting) > 1:
            clashes.append(_clash(path, fitting))
        if fitting:
            taken[path] = fitting[0]
    given = _given(offered, assignment)
    notebooks = tuple(filter(is_notebook, offered))
    used = {*taken.values(), *given.values(), *notebooks}
    own = own_modules([name for name in offered if name not in used], taken, assignment)
    used.update(own.values())
    others = tuple(name for name in names if name not in used)
    return Matching(taken, given, own, notebooks, others, tuple(clashes))


def missing(present: Iterable[str], assignment: Assignment) -> list[str]:
    """Return the required manifest paths that are not among `present`."""
    have = set(present)
    return [file.path for file in assignment.files if file.required and file.path not in have]


def mistaken(
    present: Iterable[str], others: Sequence[str], assignment: Assignment
) -> Iterator[str]:
    """Say which optional files are not among `present`, while another name looks like theirs."""
    have = set(present)
    for file in assignment.files:
        name = None if file.required or file.path in have else near(file.path, others)
        if name and _ending(name) == _ending(file.path):
            yield (
                f"{file.path} was not handed in. '{shown(name)}' looks like it: if it is, name it "
                f"{file.path} and upload again."
            )
        elif name:
            yield (
                f"{file.path} was not handed in. '{shown(name)}' looks like it, but is another "
                f"kind of file: save it as {file.path} and upload again."
            )


def near(path: str, others: Sequence[str]) -> str | None:
    """Return the name that was perhaps meant for a missing path: ``layers (1).py``.

    It is the closest one, or one of a kindred kind with the same word in it, or the only one of a
    kindred kind that is not Python.
    """
    offered = {_last(name).casefold(): name for name in others if not made_by_tools(name)}
    last = _last(path).casefold()
    close = get_close_matches(last, offered, n=1, cutoff=0.75)
    if close:
        return offered[close[0]]
    kindred = [name for name in offered if _ending(name) in _KINDRED.get(_ending(last), ())]
    word = last.rpartition(".")[0]
    alike = [name for name in kindred if word in name and len(word) >= _LEAST_WORD]
    alone = kindred if len(kindred) == 1 else []
    return next((offered[name] for name in (*alike, *alone)), None)


def _ending(name: str) -> str:
    return _last(name).casefold().rpartition(".")[2]


def ignored(others: Sequence[str]) -> tuple[str, ...]:
    """Return the names that are not graded, for display; tools' own files count as one line."""
    own = [name for name in others if not made_by_tools(name)]
    tools = len(others) - len(own)
    note = (f"hidden files and files made by tools ({tools})",) if tools else ()
    return (*shown_list(own), *note)


def _fitting(path: str, names: Sequence[str], assignment: Assignment) -> list[str]:
    below = _below(path, names)
    if below or not _unambiguous(path, assignment):
        return below
    return [name for name in names if _last(name) == _last(path)]


def _below(path: str, names: Sequence[str]) -> list[str]:
    return [name for name in names if f"/{name}".endswith(f"/{path}")]


def _unambiguous(path: str, assignment: Assignment) -> bool:
    """Tell whether the last part of a path stands for it alone."""
    paths = [file.path for file in assignment.files] + [file.path for file in assignment.given]
    return Counter(map(_last, paths))[_last(path)] == 1


def _given(names: Sequence[str], assignment: Assignment) -> dict[str, str]:
    found = {given.path: _below(given.path, names) for given in assignment.given}
    return {path: fitting[0] for path, fitting in found.items() if fitting}


def _clash(path: str, names: Sequence[str]) -> str:
    return (
        f"{len(names)} files of the upload could be {path}: {', '.join(shown_list(names))}. "
        f"Keep the one to be graded and leave out the others."
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]
