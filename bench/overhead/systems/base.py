"""What every system of the benchmark can do, and the files all of them share."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from overhead.students import HERE, Student
from overhead.venvs import Venvs

INSIDE = HERE / "inside"
TIMEOUT = 30  # seconds for one submission, where the system leaves that to its user
ADDRESS_SPACE = 4 * 2**30


class Verdict(StrEnum):
    """What a system says of a submission."""

    PASSED = "passed"  # full marks
    FAILED = "failed"  # a score below full marks
    NONE = "none"  # no score at all: a person has to look


@dataclass(frozen=True)
class Outcome:
    """A verdict and what there is to say about it."""

    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True)
class Batch:
    """Submissions to grade in one go, in a folder of this batch's own."""

    folder: Path
    students: Sequence[Student]
    jobs: int

    @property
    def events(self) -> Path:
        """The file of what happened when."""
        return self.folder / "events.jsonl"

    def own(self, student: Student) -> Path:
        """Make and return a submission's folder."""
        folder = self.folder / student.name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def plan(self, tasks: list[dict[str, Any]], **more: Any) -> str:
        """Write the plan of a program in `inside` and return its path."""
        file = self.folder / "plan.json"
        plan = {"jobs": self.jobs, "events": str(self.events), "tasks": tasks, **more}
        file.write_text(json.dumps(plan))
        return str(file)

    def read_events(self) -> list[dict[str, Any]]:
        """Return the events in order."""
        if not self.events.exists():
            return []
        return [json.loads(line) for line in self.events.read_text().splitlines()]


class System(ABC):
    """One way of grading."""

    name: ClassVar[str]
    title: ClassVar[str]
    how: ClassVar[str]  # how it is used here, one sentence
    venv: ClassVar[str | None] = None  # the environment it runs in, None: this interpreter's
    at_once: ClassVar[int | None] = None  # submissions at a time, None: as many as it is told
    warm: ClassVar[bool] = False  # do submissions share a start-up?

    def __init__(self, venvs: Venvs, work: Path) -> None:
        self.venvs = venvs
        self.work = work / "systems" / self.name

    @abstractmethod
    def prepare(self) -> None:
        """Make what every batch needs; done once, not measured."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return the versions of what does the work."""

    @abstractmethod
    def stage(self, batch: Batch) -> list[str]:
        """Write a batch's files and return the command to measure."""

    @abstractmethod
    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Read the verdicts after the command has ended; not measured."""

    def done_at(self, batch: Batch) -> list[float]:
        """Return when each result came (seconds since the epoch), earliest first."""
        return sorted(e["at"] for e in batch.read_events() if e["event"] == "done")

    def path(self) -> str:
        """Return the search path of programs with the environment activated."""
        own = self.venvs.root / (self.venv or "") / "bin"
        return f"{own}:{os.environ['PATH']}" if self.venv else os.environ["PATH"]

    def environ(self, batch: Batch) -> dict[str, str]:
        """Return the environment of the measured command: the same few names for every system."""
        places = {"HOME": self.work / "home", "TMPDIR": batch.folder / "tmp"}
        for place in places.values():
            place.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": self.path(),
            "LANG": "C.UTF-8",
            "OMP_NUM_THREADS": "1",
            **{name: str(place) for name, place in places.items()},
        }


def describe(codes: dict[str, Any], name: str) -> str:
    """Say how a submission's process ended, if it is worth saying."""
    code = codes.get(name, "no event")
    return "" if code in (0, 1) else f"ended with {code}"


def end_codes(batch: Batch) -> dict[str, Any]:
    """Return how each submission's process ended."""
    return {e["name"]: e["code"] for e in batch.read_events() if e["event"] == "done"}
