"""What a lab's submissions look like from outside: by names of files and folders alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from grader.intake.names import is_notebook
from grader.intake.own import package_of
from grader.lab.manifest import Assignment

_SYSTEM_FILES = frozenset({"__macosx", "__pycache__", "thumbs.db", "desktop.ini"})
# Archives that are not opened are refused by name: their sender has to know.
_ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
_DEEPEST = 5  # folders that people put around their work
_MOST_NAMES = 2000


@dataclass(frozen=True)
class Looks:
    """What tells a submission of a lab from other files and folders."""

    slug: str
    package: str
    python: frozenset[str]  # last names of the Python files asked for
    last_names: frozenset[str]  # of all files asked for

    @classmethod
    def of(cls, assignment: Assignment) -> Self:
        """Read them from the manifest."""
        last = {file.path.rpartition("/")[2]: file.module for file in assignment.files}
        python = frozenset(name for name, module in last.items() if module)
        return cls(assignment.slug.casefold(), package_of(assignment), python, frozenset(last))

    def has_modules(self, folder: Path, entries: Sequence[Path]) -> bool:
        """Tell whether a folder holds Python files asked for, or their package, of one student.

        A student may be called like the package, and may keep a zip or an old copy beside it.
        """
        names = {entry.name for entry in entries if entry.is_file()}
        if names & self.python:
            return True
        package = folder / self.package
        if not self.package or package not in entries or not self.python & _top_names(package):
            return False
        beside = [entry for entry in entries if entry != package and self.holds_work(entry)]
        whole = self.python | (names & self.last_names)
        folders = [entry for entry in beside if entry.is_dir() and whole <= _names_below(entry)]
        return not folders and len(list(filter(is_archive, beside))) < 2

    def has_results(self, entries: Sequence[Path]) -> bool:
        """Tell whether other files asked for lie beside one student's wrapped work.

        Beside several, or beside a folder that has such files itself, they have strayed.
        """
        strays = {entry.name for entry in entries if entry.is_file()} & self.last_names
        works = [entry for entry in entries if self.holds_work(entry)]
        if not strays or len(works) > 1:
            return False
        return not any(work.is_dir() and strays <= _names_below(work) for work in works)

    def holds_work(self, entry: Path) -> bool:
        """Tell whether an entry could be somebody's submission, or hold one."""
        if not entry.is_dir():
            return is_archive(entry) or is_notebook(entry.name)
        names = _names_below(entry)
        return bool(names & self.python) or any(
            name.lower().endswith(_ARCHIVES) or is_notebook(name) for name in names
        )

    def count_within(self, folder: Path) -> int:
        """Return how many submissions a folder could hold, if it is none itself."""
        entries = entries_of(folder)
        notebooks = [entry for entry in entries if is_notebook(entry.name)]
        if any(one.name.casefold().startswith(self.slug) for one in notebooks):
            notebooks = []  # the lab's notebook, and others of the same student
        folders = [entry for entry in entries if entry.is_dir() and self.holds_work(entry)]
        return len([*folders, *filter(is_archive, entries), *notebooks])


def entries_of(folder: Path) -> list[Path]:
    """Return what lies in a folder, without what systems put there; nothing if it is locked."""
    try:
        return [entry for entry in sorted(folder.iterdir()) if not is_system_file(entry)]
    except OSError:  # intake says so of the one submission that this concerns
        return []


def is_system_file(path: Path) -> bool:
    """Tell whether a file or folder was put there by an operating system or a tool."""
    return path.name.startswith(".") or path.name.casefold() in _SYSTEM_FILES


def is_archive(path: Path) -> bool:
    """Tell whether a file is an archive by its name."""
    return path.name.lower().endswith(_ARCHIVES) and not path.is_dir()


def could_be_sent(path: Path) -> bool:
    """Tell whether a file could be a submission by itself."""
    return is_archive(path) or is_notebook(path.name) or path.name.lower().endswith(".py")


def _top_names(folder: Path) -> set[str]:
    return {entry.name for entry in entries_of(folder)} if folder.is_dir() else set()


def _names_below(folder: Path) -> set[str]:
    """Return the names of files in a folder and a few levels below it."""
    found: set[str] = set()
    level = [folder]
    for _ in range(_DEEPEST):
        entries = [entry for one in level for entry in entries_of(one)][:_MOST_NAMES]
        level = [entry for entry in entries if entry.is_dir() and not entry.is_symlink()]
        found.update(entry.name for entry in entries if entry.is_file())
    return found
