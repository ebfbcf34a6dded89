"""Notebooks within an upload: which one is graded, and how it goes with files beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from grader.errors import Rejected
from grader.intake.candidate import Candidate
from grader.intake.matching import missing
from grader.intake.notebook import NotebookModules, how_to_mark, modules_of
from grader.intake.own import own_named
from grader.intake.skeleton import same_text, skeleton_of, untouched
from grader.lab.manifest import Assignment
from grader.text import shown

MOST_NOTEBOOKS = 20  # reading one starts a process


@dataclass(frozen=True)
class Merged:
    """Files of the upload and cells of its notebook, brought together."""

    contents: Mapping[str, bytes]  # by manifest path
    notices: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # why the upload cannot be graded
    unused: tuple[str, ...] = ()  # notebooks that gave nothing
    lost: Mapping[str, str] = field(default_factory=dict)  # why a path is in no notebook


def merge(
    files: Mapping[str, bytes], notebooks: Iterable[Candidate], assignment: Assignment, limit: int
) -> Merged:
    """Add what the notebooks give to what the files give; `limit` caps a notebook in bytes."""
    notebooks = tuple(notebooks)
    if len(notebooks) > MOST_NOTEBOOKS:
        return Merged(files, reasons=(_too_many(notebooks),))
    graded, faults, lost = _read(notebooks, assignment, limit)
    names = [shown(name) for name, _ in graded]
    if len(graded) > 1:
        reason = f"{' and '.join(names)} both hold graded cells. Keep one notebook."
        return Merged(files, reasons=(reason,))
    unused = tuple(faults)
    notices, reasons = _notices_on_unused(files, faults, assignment)
    if not graded:
        return Merged(files, notices, reasons, unused, lost)
    merged = _with_cells(files, *graded[0], assignment)
    all_notices = (*notices, *merged.notices, *_notices_on_lost(merged.contents, lost, assignment))
    unmarked = {path: _not_in(names[0], path) for path in _absent(merged.contents, assignment)}
    return Merged(merged.contents, all_notices, merged.reasons, unused, {**unmarked, **lost})


def _read(
    notebooks: Iterable[Candidate], assignment: Assignment, limit: int
) -> tuple[list[tuple[str, NotebookModules]], dict[str, list[str]], dict[str, str]]:
    """Return notebooks with graded cells, of the others why they give nothing, and lost cells."""
    paths = [file.path for file in assignment.files]
    skeleton = skeleton_of(assignment)
    own = partial(own_named, assignment=assignment)
    graded = []
    faults: dict[str, list[str]] = {}
    lost: dict[str, str] = {}
    for notebook in notebooks:
        try:
            found = modules_of(notebook.name, notebook.read(), paths, limit, skeleton, own)
        except Rejected as rejected:
            faults[notebook.name] = rejected.reasons
            continue
        lost = {**found.lost, **lost}
        if any(path in found.sources for path in paths):
            graded.append((notebook.name, found))
        else:
            faults[notebook.name] = [_unmarked(notebook.name, paths)]
    return graded, faults, lost


def _absent(contents: Mapping[str, bytes], assignment: Assignment) -> list[str]:
    return [path for path in missing(contents, assignment) if path.endswith(".py")]


def _notices_on_lost(
    contents: Mapping[str, bytes], lost: Mapping[str, str], assignment: Assignment
) -> list[str]:
    """Return notices on files that an upload may do without."""
    required = missing((), assignment)
    return [sentence for path, sentence in lost.items() if path not in {*contents, *required}]


def _not_in(name: str, path: str) -> str:
    return (
        f"{path} is missing: no cell of {name} is marked for it. To mark one, {how_to_mark(path)}."
    )


def _too_many(notebooks: Sequence[Candidate]) -> str:
    return (
        f"The upload holds {len(notebooks):,} notebooks ('{shown(notebooks[0].name)}' is one); at "
        f"most {MOST_NOTEBOOKS} are read. Keep the one to be graded."
    )


def _unmarked(name: str, paths: list[str]) -> str:
    python = [path for path in paths if path.endswith(".py")]
    asked = f": {how_to_mark(python[0])}" if python else ""
    return f"{shown(name)} has no graded cell. Mark the cell of each file{asked}."


def _notices_on_unused(
    files: Mapping[str, bytes], faults: Mapping[str, list[str]], assignment: Assignment
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return notices where the files are complete without a notebook, else its faults."""
    if missing(files, assignment):
        return (), tuple(reason for reasons in faults.values() for reason in reasons)
    unused = (f"{shown(name)} was not used: your other files are complete." for name in faults)
    return tuple(unused), ()


def _with_cells(
    files: Mapping[str, bytes], name: str, found: NotebookModules, assignment: Assignment
) -> Merged:
    fresh = {
        path for path, source in found.sources.items() if not untouched(assignment, path, source)
    }
    asked = {file.path for file in assignment.files}
    if not fresh and asked.isdisjoint(files):
        return Merged(files, reasons=(_stale(name),))
    contents = dict(files)
    reasons, notices, beside = [], list(found.notices), []
    for path, source in found.sources.items():
        if path not in files:
            contents[path] = source
        elif path not in fresh or same_text(files[path], source):
            beside.append(path)
        elif untouched(assignment, path, files[path]):
            contents[path] = source
            notices.append(f"{path} is graded from {shown(name)}: the file is still the skeleton.")
        else:
            reasons.append(
                f"{path} is in the upload twice, as a file and as a cell of {shown(name)}, and "
                f"the two differ. Keep the one to be graded."
            )
    if beside:
        notices.append(f"Graded from the file, not from {shown(name)}: {', '.join(beside)}.")
    return Merged(contents, tuple(notices), tuple(reasons))


def _stale(name: str) -> str:
    return (
        f"{shown(name)} is the notebook as it was handed out: no graded cell was changed. If you "
        f"worked in it, save it in Jupyter (Ctrl+S) and upload the saved file."
    )
