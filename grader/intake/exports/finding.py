"""Which submissions a path stands for: one, a folder of them, sections of those, or an export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.errors import ProctorError
from grader.intake.exports.handin import FoundHandIns, HandIn, with_names_that_differ
from grader.intake.exports.looks import Looks, could_be_sent, entries_of
from grader.intake.exports.systems import read_export
from grader.intake.matching import ignored
from grader.lab.manifest import Assignment

_MANY = 3  # submissions in a folder; a student with so many would be a class


def find_hand_ins(paths: Sequence[Path], assignment: Assignment) -> FoundHandIns:
    """Return the submissions that paths stand for, with names that differ.

    A file is one submission, and so is a folder with files of the manifest. Any other folder holds
    one for each child, sections with such children, or what a course system exported. Raises
    ProctorError if a folder holds none.
    """
    finder = _Finder(assignment)
    for path in paths:
        finder.add(path)
    return FoundHandIns(
        with_names_that_differ(finder.hand_ins),
        ignored(finder.left_out),
        tuple(dict.fromkeys(finder.systems)),
        ignored(finder.sections),
    )


class _Finder:
    """Looks into folders and the sections in them, and gathers what it finds."""

    def __init__(self, assignment: Assignment) -> None:
        self.hand_ins: list[HandIn] = []
        self.left_out: list[str] = []
        self.systems: list[str] = []
        self.sections: list[str] = []
        self._assignment = assignment
        self._looks = Looks.of(assignment)

    def add(self, path: Path) -> None:
        """Add what one path of the command line stands for."""
        if not path.is_dir():
            self._one(path)
            return
        before = len(self.hand_ins)
        self._folder(path, may_have_sections=True)
        if len(self.hand_ins) == before:
            raise ProctorError(
                f"{path}: this folder holds no submission; name a folder with files of "
                f"{self._assignment.slug}, or one with a file or folder for each student."
            )

    def _folder(self, folder: Path, *, may_have_sections: bool) -> None:
        """Add a folder that may be one submission, an export, or a class."""
        entries = entries_of(folder)
        if self._is_one(folder, entries):
            self._one(folder)
            return
        self.left_out += [one.name for one in folder.iterdir() if one not in entries]
        if not self._export(folder, entries):
            self._class(entries, may_have_sections=may_have_sections)

    def _is_one(self, folder: Path, entries: Sequence[Path]) -> bool:
        looks = self._looks
        if looks.has_modules(folder, entries):
            return True
        return looks.has_results(entries) and not read_export(folder, entries, looks.last_names)

    def _one(self, path: Path) -> None:
        path = path.resolve() if path.name in {"", ".."} else path
        self.hand_ins.append(HandIn(path.name, path))

    def _export(self, folder: Path, entries: Sequence[Path]) -> bool:
        export = read_export(folder, entries, self._looks.last_names)
        if export is None:
            return False
        self.systems.append(export.system)
        self.hand_ins += export.hand_ins
        for other in export.others:
            if other.is_dir() and self._looks.holds_work(other):
                self._one(other)
            else:
                self.left_out.append(other.name)
        return True

    def _class(self, entries: Sequence[Path], *, may_have_sections: bool) -> None:
        sections = self._sections(entries) if may_have_sections else set()
        for entry in entries:
            if entry in sections:
                self.sections.append(entry.name)
                self._folder(entry, may_have_sections=False)
            elif entry.is_dir() or could_be_sent(entry):
                self._one(entry)
            else:
                self.left_out.append(entry.name)

    def _sections(self, entries: Sequence[Path]) -> set[Path]:
        """Return the folders that are parts of the class, and not a student's.

        A student may have wrapped the work in a folder, or kept an old copy beside it.
        """
        folders = [entry for entry in entries if entry.is_dir()]
        inner = {folder: entries_of(folder) for folder in folders}
        own = [folder for folder in folders if self._is_one(folder, inner[folder])]
        held = {one: self._looks.count_within(one) for one in folders if one not in own}
        several = [count for count in held.values() if count > 1]
        alike = not own and 2 * len(several) >= len([count for count in held.values() if count])
        least = 1 if several and alike else _MANY
        names = self._looks.last_names
        return {
            one
            for one, count in held.items()
            if count >= least or read_export(one, inner[one], names) is not None
        }
