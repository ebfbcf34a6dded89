"""The engine's exceptions, one tree.

    ProctorError
    +-- ManifestError          an assignment.toml that cannot be used
    +-- UnknownAssignment      a slug that no folder of the catalogue bears
    +-- Rejected               an upload that cannot be graded; costs no attempt
    +-- TableError             a file of lines and cells that cannot be read as one
    +-- SandboxError           the sandbox could not be started or lost: our fault
    +-- GradingError           any other fault of ours while grading; never a zero
    +-- AuthoringError         a lab whose files do not fit together

Every message is a sentence for the person who can act on it: it says what was wrong, where,
and how to mend it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class ProctorError(Exception):
    """Base of every error the engine raises on purpose."""


@dataclass(frozen=True)
class ManifestProblem:
    """One mistake in a manifest: where it stands and how to mend it."""

    file: Path
    key: str  # dotted path inside the file, "" for the file as a whole
    mend: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.key}" if self.key else str(self.file)
        return f"{where}: {self.mend}"


class ManifestError(ProctorError):
    """An assignment's manifest cannot be used; carries every mistake found, not only the first."""

    def __init__(self, problems: list[ManifestProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class UnknownAssignment(ProctorError):
    """No folder of the catalogue bears this slug."""


class Rejected(ProctorError):
    """An upload that cannot be graded. Costs no attempt; each reason says what to do."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__(" ".join(reasons))


@dataclass(frozen=True)
class TableProblem:
    """One thing that is wrong with a table: where it stands and how to mend it."""

    line: int  # of the file, 1-based; 0 if it concerns the whole
    mend: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.mend}" if self.line else self.mend


class TableError(ProctorError):
    """A file that cannot be read as a table; lists every problem found."""

    def __init__(self, problems: list[TableProblem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class SandboxError(ProctorError):
    """The sandbox could not be started, or was lost through no act of the student."""


class GradingError(ProctorError):
    """A fault of ours while grading: a retry for us, never a zero for the student."""


class AuthoringError(ProctorError):
    """A lab that cannot be made or released as its files stand; names each problem found."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))
