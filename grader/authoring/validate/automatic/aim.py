"""Which tests a changed module can lose, and what their verdict depends on.

Read from the text of the suite: a file of tests that mentions ``student.layers`` tests the module
``layers``, and every module that imports it may change with it. A file that mentions no module
may test any of them.
"""

from __future__ import annotations

import ast
import hashlib
import platform
import re
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path, PurePosixPath

from grader import __version__
from grader.errors import GradingError
from grader.intake.submission import Submission
from grader.lab.bars import BARS_NAME
from grader.lab.catalogue import Lab
from grader.lab.given import given_file
from grader.lab.manifest import MANIFEST_NAME

_STUDENTS = re.compile(r"\b(?:shared_)?student\.([a-z_]\w*)")
_OURS = re.compile(r"\breference\.([a-z_]\w*)")
_BARS = re.compile(r"\bbar\b")
_LIBRARIES = ("numpy", "torch")


@dataclass(frozen=True)
class Aim:
    """A lab's suite, by file: which modules each can tell apart."""

    lab: Lab
    reference: Submission

    @cached_property
    def _modules(self) -> dict[str, bytes]:
        """The reference's modules by short name."""
        return {
            PurePosixPath(file.path).stem: file.content
            for file in self.reference.files
            if file.path.endswith(".py")
        }

    @cached_property
    def _suite(self) -> dict[str, str]:
        """The text of every Python file of the suite, by its path in test ids."""
        folder = self.lab.suite
        if folder is None or not folder.is_dir():
            raise GradingError(f"{self.lab.assignment.slug}: no hidden suite here")
        files = sorted(folder.rglob("*.py"))
        return {f.relative_to(folder).as_posix(): f.read_text(encoding="utf-8") for f in files}

    def _is_test(self, path: str) -> bool:
        return PurePosixPath(path).name.startswith("test_")

    @cached_property
    def _shared(self) -> str:
        """What tests have in common: conftest.py and other helpers."""
        return "\n".join(text for path, text in self._suite.items() if not self._is_test(path))

    def _mentioned(self, path: str) -> set[str]:
        """Return the student's modules that a file of tests names; all if it names none."""
        found = set(_STUDENTS.findall(self._suite[path])) & self._modules.keys()
        found |= set(_STUDENTS.findall(self._shared)) & self._modules.keys()
        return found or set(self._modules)

    def _importers(self, module: str) -> set[str]:
        """Return a module and every module that imports it, directly or not."""
        found = {module}
        while more := {
            name
            for name, content in self._modules.items()
            if name not in found and _imports(content) & found
        }:
            found |= more
        return found

    def files(self, path: str) -> list[str]:
        """Return the files of tests that a change to a file can touch, those of itself first."""
        module = PurePosixPath(path).stem
        touched = self._importers(module)
        aimed = [f for f in self._suite if self._is_test(f) and self._mentioned(f) & touched]
        return sorted(aimed, key=lambda file: module not in self._mentioned(file))

    def digest(self, path: str) -> str:
        """Return a digest of all that decides the verdicts of the tests of a changed file.

        Of the engine it holds the version alone: an edit to it makes no mutant better or worse.
        """
        files = self.files(path)
        text = "\n".join([self._shared, *(self._suite[file] for file in files)])
        modules = self._importers(PurePosixPath(path).stem)
        modules |= set(_OURS.findall(text)) & self._modules.keys()
        for file in files:
            modules |= self._mentioned(file)
        while more := {
            name for known in modules for name in _imports(self._modules[known])
            if name in self._modules and name not in modules
        }:  # fmt: skip
            modules |= more
        versions = [__version__, platform.python_version(), *map(version, _LIBRARIES)]
        total = hashlib.sha256("\n".join([*versions, text]).encode())
        for name in sorted(modules):
            total.update(name.encode() + b"\0" + self._modules[name] + b"\0")
        for part in self._others(text):
            total.update(part.read_bytes() + b"\0")
        return total.hexdigest()

    def _others(self, text: str) -> list[Path]:
        """Return the other files that verdicts depend on: manifest, given files, bars."""
        public, reference = self.lab.public, self.lab.reference
        found = [public / MANIFEST_NAME]
        found += [given_file(public, given.path) for given in self.lab.assignment.given]
        if reference and _BARS.search(text) and (reference / BARS_NAME).is_file():
            found.append(reference / BARS_NAME)
        if self.lab.suite:
            found += sorted(f for f in self.lab.suite.rglob("*") if _is_data(f))
        return found


def _is_data(file: Path) -> bool:
    return file.is_file() and file.suffix not in (".py", ".pyc")


def _imports(content: bytes) -> set[str]:
    """Return the last words of what a module imports from."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.ImportFrom):
            found |= {(node.module or "").rpartition(".")[2]}
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.rpartition(".")[2] for alias in node.names}
    return found
