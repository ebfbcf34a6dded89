"""What an accepted upload is: a few named byte strings and what was said about them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class AcceptedFile:
    """One file that will be graded."""

    path: str  # relative, forward slashes, as the manifest names it
    content: bytes

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True)
class Submission:
    """An upload that passed intake. Its digest names its content, whatever it was packed in."""

    name: str  # for people: the upload's file or folder name
    files: tuple[AcceptedFile, ...]  # sorted by path
    ignored: tuple[str, ...] = ()  # what was in the upload and is not graded, cleaned for display
    notices: tuple[str, ...] = field(default=())  # sentences for the student

    @property
    def digest(self) -> str:
        """SHA-256 over paths and contents: the same work has the same digest as .py or in a zip."""
        total = hashlib.sha256()
        for file in self.files:
            total.update(f"{file.path}\0{file.sha256}\n".encode())
        return total.hexdigest()

    def file(self, path: str) -> bytes | None:
        """Return the content of a file by its manifest path, None if it was not handed in."""
        return next((file.content for file in self.files if file.path == path), None)

    def write_to(self, folder: Path, suffix: str = "") -> None:
        """Write the files whose names end with `suffix` below an existing, empty folder.

        Their paths were checked at intake.
        """
        for file in self.files:
            if not file.path.endswith(suffix):
                continue
            target = folder / file.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
