"""The runs of a calibration as they end: one JSON line each, so that none is made twice.

The file lies in the user's cache under the digest of what the measuring tests see (`seen`): one
of them that has changed, or that is new, starts anew, while the others may change. In it a run
stands under the digest of the solution too, so a baseline or a variant's reference that has changed
is run again. A process that is killed loses the runs in flight and at most a torn last line.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from grader.authoring.calibrate.seen import may_measure, measuring_digest
from grader.lab.catalogue import Lab
from grader.report.report import Environment, Outcome

REFERENCE = "reference"


RunKey = tuple[str | None, str, str, int]


class LoggedRun(BaseModel):
    """One run of one solution under one key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    variant: str | None
    solution: str  # REFERENCE, baselines/NAME or mutants/NAME
    number: int  # of its key
    submission: str  # digest of that solution
    measured: dict[str, dict[str, float]]  # by the test's id, then by the figure's name
    outcomes: dict[str, Outcome]  # of the tests that measured or were to
    cpu_seconds: float
    environment: Environment | None = None  # of whole runs

    @property
    def key(self) -> RunKey:
        """What no two runs share."""
        return self.variant, self.solution, self.submission, self.number

    def of_tests(self, tests: Collection[str]) -> Self:
        """Return the run as if it had been of these tests alone."""
        measured = {test: found for test, found in self.measured.items() if test in tests}
        outcomes = {test: outcome for test, outcome in self.outcomes.items() if test in tests}
        return self.model_copy(update={"measured": measured, "outcomes": outcomes})


class RunLog:
    """All runs made so far; may be asked and told from several threads."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._runs = {run.key: run for run in _read(file)}

    def find(self, key: RunKey) -> LoggedRun | None:
        """Return a run, None if it has not been made."""
        return self._runs.get(key)

    def add(self, run: LoggedRun) -> None:
        """Keep a run; it is on disk when this returns."""
        with self._guard:
            self._runs[run.key] = run
            with self._file.open("a", encoding="utf-8") as out:
                out.write(run.model_dump_json() + "\n")


def open_log(lab: Lab, environ: Mapping[str, str] = os.environ) -> RunLog:
    """Return the log of a lab as it is now."""
    cache = Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "proctor" / "calibrate"
    folder.mkdir(parents=True, exist_ok=True)
    seen = measuring_digest(lab, may_measure(lab))
    return RunLog(folder / f"{lab.assignment.slug}-{seen[:16]}.jsonl")


def _read(file: Path) -> list[LoggedRun]:
    """Read whole lines; what a killed process left of one is cut off."""
    if not file.exists():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        file.write_bytes(whole)
    runs = []
    for line in whole.splitlines():
        try:
            runs.append(LoggedRun.model_validate_json(line))
        except ValidationError:
            continue  # of an older form: the run is made anew
    return runs
