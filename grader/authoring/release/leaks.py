"""What must not reach a student's machine: solutions, hidden tests, mutants, staff's files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from grader.authoring.release.skeleton import BEGIN, END
from grader.lab.given import REFERENCE
from grader.lab.manifest import MANIFEST_NAME, Assignment

# Lines of a solution that stand in a row and have fewer different words together, such as
# ``with torch.no_grad():``, are idioms that public tests use as well.
_TELLING_WORDS = 6
_STAFF_FOLDERS = {"suite", "mutants", "baselines"}
_STAFF_FILES = {"bars.toml", "calibration.json", "equivalent.toml", "conftest.py"}


@dataclass(frozen=True)
class Secrets:
    """What only staff may know of one lab."""

    assignment: Assignment
    solution: frozenset[str]  # stripped lines that stand between marks and nowhere outside them
    names: Mapping[str, str]  # hidden tests and mutants, each with what it is
    contents: Mapping[bytes, str]  # staff's files, each with its path


def secrets_of(
    assignment: Assignment, reference: Path, solution: Iterable[str], made: Mapping[str, bytes]
) -> Secrets:
    """Gather a lab's secrets; `made` is what the reference makes public."""
    outside = {line for content in made.values() for _, line in _lines(_decoded(content))}
    staff = {
        file.read_bytes(): f"{REFERENCE}/{assignment.slug}/{file.relative_to(reference).as_posix()}"
        for file in sorted(reference.rglob("*"))
        if file.is_file() and "__pycache__" not in file.parts and file.stat().st_size
    }
    for content in made.values():
        staff.pop(content, None)
    return Secrets(assignment, frozenset(solution) - outside, _names(reference), staff)


def leaks(secrets: Secrets, files: Mapping[str, bytes], made: Iterable[str]) -> Iterator[str]:
    """Say, file and line first, what of the secrets is in the files that are handed out."""
    shown = _test_names(content for path, content in files.items() if _is_public_test(path))
    names = {name: what for name, what in secrets.names.items() if name not in shown}
    listed = {*made, *(file.path for file in secrets.assignment.files)}
    listed |= {given.path for given in secrets.assignment.given}
    for path, content in files.items():
        where = f"assignments/{secrets.assignment.slug}/{path}"
        if content in secrets.contents:
            yield f"{where} is staff's {secrets.contents[content]}"
        elif (_STAFF_FOLDERS | _STAFF_FILES) & set(PurePosixPath(path).parts):
            yield f"{where} bears a name of staff's files"
        elif path.startswith(f"{secrets.assignment.slug}/") and path not in listed:
            yield f"{where} is in the package, but {MANIFEST_NAME} lists it nowhere"
        for line, what in _leaks(secrets, names, list(_text_lines(path, content))):
            yield f"{where}:{line} {what}"


def _leaks(
    secrets: Secrets, names: Mapping[str, str], lines: list[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    yield from _passages(secrets.solution, lines)
    slug = re.escape(secrets.assignment.slug)
    staff = re.compile(rf"\b{REFERENCE}(?:/\w[\w./-]*|[._]{slug}\b)")
    for number, line in lines:
        if line in (BEGIN, END):
            yield number, f"has the mark {line!r}"
        for word in re.findall(r"\w+", line):
            if word in names:
                yield number, f"names {names[word]} {word}"
        if found := staff.search(line):
            yield number, f"names staff's {found[0]}"


def _passages(solution: frozenset[str], lines: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Find runs of solution lines that tell something."""
    run: list[tuple[str, str]] = []
    for number, line in [*lines, ("", "")]:
        if line in solution:
            run.append((number, line))
            continue
        words = {word for _, text in run for word in re.findall(r"\w+", text)}
        if len(words) >= _TELLING_WORDS:
            yield run[0][0], f"is part of the solution: {run[0][1]}"
        run = []


def _names(reference: Path) -> dict[str, str]:
    tests = _test_names(file.read_bytes() for file in reference.glob("suite/**/*.py"))
    wrong = {
        file.stem: folder
        for folder in ("mutants", "baselines")
        for file in reference.glob(f"{folder}/*.toml")
    }
    # A name of one word, such as dropout, tells nothing and may well stand in a handout.
    return {
        **{name: "the hidden test" for name in tests},
        **{name: f"the {folder[:-1]}" for name, folder in wrong.items() if "_" in name},
    }


def _test_names(sources: Iterable[bytes]) -> set[str]:
    return {name for text in sources for name in re.findall(r"def (test_\w+)", _decoded(text))}


def _is_public_test(path: str) -> bool:
    return "/" not in path and path.startswith("test_") and path.endswith(".py")


def _text_lines(path: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of every line that is not blank; of a notebook, by cell."""
    cells = _cells(content) if path.endswith(".ipynb") else None
    if cells is None:
        yield from _lines(_decoded(content))
        return
    for number, cell in enumerate(cells, start=1):
        shown = [cell.get("source"), cell.get("outputs")] if isinstance(cell, dict) else []
        for line, words in _lines("\n".join(_strings(shown))):
            yield f"cell {number}, line {line}", words


def _cells(content: bytes) -> list[object] | None:
    try:
        cells = json.loads(content)["cells"]
    except (ValueError, KeyError, TypeError):
        return None
    return cells if isinstance(cells, list) else None


def _strings(value: object) -> Iterator[str]:
    """Yield every text within a notebook's cell, its outputs too; the source comes as lines."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield "".join(value)
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield str(number), line.strip()


def _decoded(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")
