"""What is measured, in which order, and where the results are kept.

A round measures every system on the same work: one submission in a cold start, and the batch of
right ones; a system whose submissions share a start-up also has a long batch, copies of the right
ones. The first round also has the batch of wrong ones. Within a round the order is random,
so that a noisy minute hits no system twice by design.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from overhead.students import Student, copies

OWN = "own"  # the pseudo system that measures the submissions themselves
COPIES = 6  # of each right submission in a long batch


class Kind(StrEnum):
    """What a task measures."""

    ONE = "one"  # a single right submission, from nothing to its result
    CLEAN = "clean"  # all right submissions
    LONG = "long"  # copies of all right submissions
    HOSTILE = "hostile"  # all wrong submissions
    OWN = "own"


@dataclass(frozen=True)
class Task:
    """One measurement."""

    round: int
    system: str
    kind: Kind

    @property
    def name(self) -> str:
        """A name for files."""
        return f"{self.round}-{self.system}-{self.kind}"


@dataclass(frozen=True)
class Result:
    """What a task found. Times in seconds, memory in MiB."""

    round: int
    system: str
    kind: Kind
    fingerprint: str
    began: float  # seconds since the epoch
    usage: dict[str, Any]
    students: tuple[str, ...]
    first: float | None = None  # seconds to the first result
    each: tuple[float, ...] = ()  # seconds from a free place to its next result
    verdicts: dict[str, tuple[str, str]] | None = None  # name -> verdict, detail
    own: dict[str, float | None] | None = None  # name -> CPU seconds


def tasks(systems: Sequence[str], rounds: int, seed: int, warm: Collection[str] = ()) -> list[Task]:
    """Return every task in the order to run it; `warm` systems also have long batches."""
    order = random.Random(seed)
    plan = []
    for number in range(1, rounds + 1):
        kinds = [Kind.ONE, Kind.CLEAN, *([Kind.HOSTILE] if number == 1 else [])]
        batch = [Task(number, system, kind) for system in systems for kind in kinds]
        batch += [Task(number, system, Kind.LONG) for system in systems if system in warm]
        batch.append(Task(number, OWN, Kind.OWN))
        order.shuffle(batch)
        plan += batch
    return plan


def students_of(task: Task, students: Sequence[Student], seed: int) -> list[Student]:
    """Return the submissions of a task; a round's single one is the same for every system."""
    right = [student for student in students if student.right]
    if task.kind is Kind.ONE:
        return [random.Random(f"{seed} {task.round}").choice(right)]
    if task.kind is Kind.HOSTILE:
        return [student for student in students if not student.right]
    return copies(right, COPIES) if task.kind is Kind.LONG else right


def places(done: Sequence[float], began: float, at_once: int) -> tuple[float, ...]:
    """Return how long each result took since the place it was made in became free.

    With two places the first two begin at `began`, and the n-th when the (n-2)-th is done.
    """
    ends = sorted(done)
    starts = [began] * at_once + ends
    return tuple(round(end - start, 4) for end, start in zip(ends, starts, strict=False))


def fingerprint(folders: Iterable[Path], *words: str) -> str:
    """Return a digest of all files below folders, and of words such as versions."""
    total = hashlib.sha256()
    for folder in folders:
        for file in sorted(_sources(folder)):
            total.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    total.update("\0".join(words).encode())
    return total.hexdigest()[:16]


def _sources(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file


class Store:
    """Results as JSON files; those of other code or other versions do not count."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, task: Task, fingerprint: str) -> Result | None:
        """Return a task's result, None if it is still to be found."""
        file = self._folder / f"{task.name}.json"
        if not file.exists():
            return None
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["fingerprint"] != fingerprint:
            return None
        data |= {name: tuple(data[name]) for name in ("students", "each")}
        return Result(**{**data, "kind": Kind(data["kind"])})

    def clear(self) -> None:
        """Forget every result."""
        for file in self._folder.glob("*.json"):
            file.unlink()

    def write(self, task: Task, result: Result) -> None:
        """Keep a result."""
        file = self._folder / f"{task.name}.json"
        part = file.with_suffix(".part")
        part.write_text(json.dumps(asdict(result), indent=1), encoding="utf-8")
        part.replace(file)
