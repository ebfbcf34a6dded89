"""The forty submissions: files that replace parts of the model solution.

What is in `submissions/right` must pass, what is in `submissions/wrong` must not. A file whose
docstring ends in the line ``cheat`` tries to pass without doing the work.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

HERE = Path(__file__).parent
FOLDER = HERE / "submissions"
SOLUTION = HERE / "home" / "reference" / "smallnet" / "functions.py"


@dataclass(frozen=True)
class Student:
    """One submission: a module, and what is true of it."""

    name: str
    source: str
    about: str  # the first line of its docstring
    right: bool
    cheat: bool


def load_students(folder: Path = FOLDER) -> list[Student]:
    """Return all submissions by name."""
    files = [*folder.glob("right/*.py"), *folder.glob("wrong/*.py")]
    return sorted(map(_student, files), key=lambda student: student.name)


def copies(students: Sequence[Student], number: int) -> list[Student]:
    """Return each submission so many times, every copy under a name and a digest of its own."""
    return [
        replace(student, name=f"{student.name}~{copy}", source=f"{student.source}\n# copy {copy}\n")
        for copy in range(1, number + 1)
        for student in students
    ]


def original(name: str) -> str:
    """Return the name of the submission that one of this name is, or is a copy of."""
    return name.partition("~")[0]


def _student(file: Path) -> Student:
    text = file.read_text(encoding="utf-8")
    lines = (ast.get_docstring(ast.parse(text)) or "").strip().splitlines()
    return Student(
        name=file.stem,
        source=merged(SOLUTION.read_text(encoding="utf-8"), text),
        about=lines[0],
        right=file.parent.name == "right",
        cheat=lines[-1] == "cheat",
    )


def merged(solution: str, changes: str) -> str:
    """Return `changes` below what it leaves standing of the solution."""
    replaced = {node.name for node in ast.parse(changes).body if _is_definition(node)}
    lines = solution.splitlines()
    for node in ast.parse(solution).body:
        if _is_definition(node) and node.name in replaced:
            lines[node.lineno - 1 : node.end_lineno] = [""] * (node.end_lineno - node.lineno + 1)
    return _squeezed(lines) + "\n\n" + changes


def _is_definition(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef)


def _squeezed(lines: list[str]) -> str:
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return "\n".join(kept).strip() + "\n"
