"""What a release makes of a lab, and what that changes in its public folder.

From ``reference/<slug>/`` come the skeleton and the notebook; given files are copied from there,
and loaders of data from ``reference/datasets/`` (`grader.lab.given`): git keeps no copy of these.
The rest of the public folder, handouts and public tests, is written by hand and left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path, PurePosixPath

from grader.authoring.release.leaks import leaks, secrets_of
from grader.authoring.release.notebook import notebook_of
from grader.authoring.release.skeleton import BEGIN, END, skeleton_of, solution_lines
from grader.authoring.solutions import own_files
from grader.errors import AuthoringError
from grader.lab.catalogue import ASSIGNMENTS, Catalogue
from grader.lab.given import REFERENCE, given_file
from grader.lab.handout import handout_files, handout_zip
from grader.lab.manifest import MANIFEST_NAME, Assignment, load_assignment
from grader.report.export import write_atomically


@dataclass(frozen=True)
class Release:
    """The public half of a lab as it ought to be."""

    assignment: Assignment
    public: Path
    made: dict[str, bytes]  # what the reference decides, by path below the public folder
    files: dict[str, bytes]  # everything that is handed out, `made` included
    leaks: tuple[str, ...]  # what is in `files` and only staff may know, file and line first

    def changes(self) -> list[str]:
        """Say which files of the public folder are not as this release makes them.

        Loaders that labs share need not be there: nobody reads them from it.
        """
        differences = []
        for path, content in self.made.items():
            file = self.public / path
            if not file.is_file():
                if given_file(self.public, path) == file:
                    differences.append(f"{path} is missing")
            elif (there := file.read_bytes()) != content:
                differences.append(
                    f"{path} differs from line {_first_difference(there, content)} on"
                )
        return differences

    def write(self) -> list[str]:
        """Write what differs and return its paths; on leaks AuthoringError, and nothing written."""
        self._refuse_leaks()
        written = []
        for path, content in self.made.items():
            file = self.public / path
            if not file.is_file() or file.read_bytes() != content:
                write_atomically(file, content)
                written.append(path)
        return written

    def zip(self) -> bytes:
        """Return the students' zip, the same bytes for the same files; AuthoringError on leaks."""
        self._refuse_leaks()
        return handout_zip(self.assignment.slug, self.files)

    def _refuse_leaks(self) -> None:
        if self.leaks:
            raise AuthoringError(list(self.leaks))


def plan_release(home: Path, slug: str) -> Release:
    """Work out a lab's public half from its reference; nothing is written.

    Raises UnknownAssignment, ManifestError, or AuthoringError with every problem found.
    """
    public, reference = home / ASSIGNMENTS / slug, home / REFERENCE / slug
    if not (public / MANIFEST_NAME).is_file():
        Catalogue(home).get(slug)  # says which labs there are
    assignment = load_assignment(public, released=False)
    if not reference.is_dir():
        raise AuthoringError(
            [f"{REFERENCE}/{slug} is missing: a lab is released from its reference"]
        )
    made = _given(assignment, reference)
    skeleton, solution = _skeleton(assignment, reference)
    made |= {path: text.encode() for path, text in skeleton.items()}
    secrets = secrets_of(assignment, reference, solution, made)
    by_hand = handout_files(assignment)
    made[f"{slug}.ipynb"] = _notebook(assignment, by_hand, skeleton).encode()
    files = by_hand | made
    return Release(assignment, public, made, files, tuple(leaks(secrets, files, made)))


def _skeleton(assignment: Assignment, reference: Path) -> tuple[dict[str, str], list[str]]:
    """Return the skeleton by manifest path, and the lines of every solution."""
    skeleton: dict[str, str] = {}
    solution: list[str] = []
    problems: list[str] = []
    for file in assignment.files:
        source = reference / _below_package(assignment, file.path)
        if file.module is None or not (source.is_file() or file.required):
            continue
        shown = f"{REFERENCE}/{source.relative_to(reference.parent).as_posix()}"
        try:
            text = source.read_text(encoding="utf-8")
            skeleton[file.path] = skeleton_of(text, shown)
            solution += solution_lines(text, shown)
        except FileNotFoundError:
            problems.append(f"{shown} is missing; {MANIFEST_NAME} lists {file.path}")
        except AuthoringError as error:
            problems += error.problems
    for path, source in own_files(assignment, reference).items():
        solution += solution_lines(source.read_text(encoding="utf-8"), path)
    if problems:
        raise AuthoringError(problems)
    return skeleton, solution


def _given(assignment: Assignment, reference: Path) -> dict[str, bytes]:
    """Return the given files that are copied from the staff's half."""
    found: dict[str, bytes] = {}
    problems = []
    for given in assignment.given:
        inner = _below_package(assignment, given.path)
        sources = [folder / inner for folder in (reference, reference.parent)]
        source = next((file for file in sources if file.is_file()), None)
        if source is not None:
            found[given.path] = source.read_bytes()
            if BEGIN.encode() in found[given.path] or END.encode() in found[given.path]:
                where = source.relative_to(reference.parents[1]).as_posix()
                problems.append(f"{where} has marks, but {given.path} is given as it is")
        elif not (assignment.folder / given.path).is_file():
            tried = [file.relative_to(reference.parents[1]).as_posix() for file in sources]
            problems.append(f"{given.path} is given, but there is no {' and no '.join(tried)}")
    if problems:
        raise AuthoringError(problems)
    return found


def _notebook(assignment: Assignment, by_hand: dict[str, bytes], skeleton: dict[str, str]) -> str:
    names = ("README.md", "README.zh.md")
    handouts = {name: by_hand[name].decode("utf-8") for name in names if name in by_hand}
    if "README.md" not in handouts:
        where = f"{ASSIGNMENTS}/{assignment.slug}/README.md"
        raise AuthoringError([f"{where} is missing; students need a handout"])
    tests = [path for path in by_hand if PurePosixPath(path).match("test_*.py") and "/" not in path]
    return notebook_of(assignment, handouts, skeleton, tests)


def _below_package(assignment: Assignment, path: str) -> str:
    """Return a path without the package folder, which the reference's folder stands for."""
    return path.removeprefix(f"{assignment.slug}/")


def _first_difference(one: bytes, other: bytes) -> int:
    pairs = zip_longest(one.split(b"\n"), other.split(b"\n"))
    return next((number for number, (a, b) in enumerate(pairs, start=1) if a != b), 1)
