"""What mutants came to, kept on disk, so that nothing is run twice and a run can be interrupted."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.report.report import Outcome

_FORMAT = 1  # of the lines; another one makes the old lines void


class Result(BaseModel):
    """What one mutant came to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str  # digest of the mutant's file and of all that decides its verdicts
    path: str
    function: str
    killer: str | None  # the test it lost; None if it lost none
    outcome: Outcome | None
    cpu_seconds: float

    @property
    def killed(self) -> bool:
        """Whether a test was lost."""
        return self.killer is not None


class Results:
    """The results of one lab: a file of JSON lines, to which each new one is appended."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._by_key: dict[str, Result] = {}
        self._killers: dict[tuple[str, str], dict[str, int]] = {}
        for line in self._lines():
            try:
                self._remember(Result.model_validate_json(line))
            except ValidationError:  # cut off by an interruption, or of another version
                continue

    def _lines(self) -> list[str]:
        try:
            return self._file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _remember(self, result: Result) -> None:
        self._by_key[result.key] = result
        if result.killer:
            killers = self._killers.setdefault((result.path, result.function), {})
            killers[result.killer] = killers.get(result.killer, 0) + 1

    def get(self, key: str) -> Result | None:
        """Return a known result."""
        return self._by_key.get(key)

    def kills(self, path: str, function: str) -> dict[str, int]:
        """Return how many mutants of a function each test has killed."""
        with self._guard:
            return dict(self._killers.get((path, function), {}))

    def add(self, result: Result) -> None:
        """Keep a result."""
        with self._guard:
            self._remember(result)
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a", encoding="utf-8") as out:
                out.write(result.model_dump_json() + "\n")


def results_file(slug: str) -> Path:
    """Return where the results of a lab's mutants are kept on this machine."""
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base else Path.home() / ".cache"
    return folder / "proctor" / "mutants" / f"{slug}.{_FORMAT}.jsonl"
