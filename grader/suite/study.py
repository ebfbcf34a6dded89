"""A study: what its results.csv claims, whether the claims cover what was asked, and their proof.

Every lab has a study, a sweep over factors that students make with their own `run_cell` and write
down in results.csv. The manifest names its columns; what a lab's factors and their values are its
suite says, in one `Study`; what may be wrong with the claims stands here.

A table can be invented, and so can a `run_cell` that agrees with it. What cannot is the network
that the student's own training makes: the suite trains one as the cell should have and measures it
itself. A claim is proven if the three numbers of its cell are one: see `Study.trials`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from grader.lab.table import TableRow
from grader.report.diagnosis import Cause, Diagnosis
from grader.sandbox.host.proxy import Student
from grader.suite.values import WrongAnswer, as_number, require

Value = int | float | str

RESULTS_NAME = "results.csv"
LEAST = 3  # values a factor, seeds a value
_MOST_CELLS = 5000
_MAX_SEED = 2**31
_SEEDS = 10  # from so many at least a seed is drawn that is not claimed


class Submitted(Protocol):
    """The files that were handed in: the fixture ``submission``."""

    def table(self, path: str, /) -> Sequence[TableRow]:
        """Return the rows of a table; AssertionError if it was not handed in or is none."""


@dataclass(frozen=True)
class StudyCell:
    """One line of results.csv: what a network of these settings is claimed to reach."""

    task: str  # empty where the study has but one
    factor: str
    value: Value
    seed: int
    metric: float

    def __str__(self) -> str:
        """Return what tells this cell from every other: node, layers=2, seed 0."""
        return f"{_place(self.task, f'{self.factor}={self.value}')}, seed {self.seed}"


@dataclass(frozen=True)
class Trial:
    """The three numbers of a cell: they are one, up to chance, if its claim is true."""

    claim: StudyCell  # its metric is what results.csv says
    rerun: float  # what run_cell gives
    measured: float  # what the suite measures of a network of the student's own training

    @property
    def spread(self) -> float:
        """The distance of those two that lie farthest apart."""
        numbers = (self.claim.metric, self.rerun, self.measured)
        return max(numbers) - min(numbers)

    def __str__(self) -> str:
        """Return the cell and its three numbers."""
        return (
            f"{self.claim}: results.csv claims {self.claim.metric:.3f}, run_cell gives "
            f"{self.rerun:.3f}, a network trained with these settings {self.measured:.3f}"
        )


@dataclass(frozen=True)
class Study:
    """What a lab's study asks for, and how its numbers are to be read."""

    required: Mapping[str, Collection[Value]]  # of every factor the values that must be there
    # ``read_value(factor, text)`` returns the value of a cell. It raises ValueError for a text that
    # stands for none, and AssertionError, with the reason, for a value that cannot be run again.
    read_value: Callable[[str, str], Value]
    lowest: float  # metrics lie from here
    highest: float  # to here
    bounds: str  # which is said of a metric that does not: "scores lie in [0, 1]"
    cell_cpu_seconds: float  # what one cell may take
    tasks: tuple[str, ...] = ()  # of the column "task", in a study of several

    def run(self, student: Student, *cell: Any) -> float:
        """Run a cell with the student's code: ``run_cell(*cell)``, which must give a metric."""
        with student.budget(cpu_seconds=self.cell_cpu_seconds):
            metric = as_number(student.study.run_cell(*cell))
        require(self.lowest <= metric <= self.highest, f"run_cell gave {metric}, {self.bounds}")
        return metric

    def read(self, submission: Submitted) -> list[StudyCell]:
        """Return the cells of results.csv; AssertionError names the line that is wrong."""
        rows = submission.table(RESULTS_NAME)
        require(len(rows) <= _MOST_CELLS, f"more than {_MOST_CELLS} cells")
        return [self._cell(row) for row in rows]

    def _cell(self, row: TableRow) -> StudyCell:
        try:
            return self._read(row.cells)
        except (ValueError, OverflowError):
            raise _wrong_line(row, "not a number where one is expected") from None
        except AssertionError as error:
            raise _wrong_line(row, str(error)) from None

    def _read(self, cells: Mapping[str, str]) -> StudyCell:
        task, factor = cells["task"] if self.tasks else "", cells["factor"]
        require(not self.tasks or task in self.tasks, f"no task {task!r}")
        require(factor in self.required, f"no factor {factor!r}")
        value, seed = self.read_value(factor, cells["value"]), int(cells["seed"])
        metric, cpu = float(cells["metric"]), float(cells["cpu_s"])
        require(0 <= seed < _MAX_SEED, "seeds lie in [0, 2^31)")
        require(self.lowest <= metric <= self.highest, f"metric {metric}, {self.bounds}")
        require(cpu >= 0, f"cpu_s {cpu}")
        return StudyCell(task, factor, value, seed, metric)

    def claims(self, submission: Submitted, factor: str, task: str = "") -> list[StudyCell]:
        """Return the cells of a factor; AssertionError if there is none."""
        found = [
            cell for cell in self.read(submission) if (cell.task, cell.factor) == (task, factor)
        ]
        require(bool(found), f"no cells of {_place(task, factor)}")
        return found

    def drawn(
        self,
        submission: Submitted,
        rng: np.random.Generator,
        factor: str,
        task: str = "",
        count: int = 2,
        values: Sequence[Value] = (),
    ) -> list[StudyCell]:
        """Return cells of `count` claimed values of a factor (of all, if it has fewer) to try.

        Or of `values`, which may name one twice; AssertionError for one that is not claimed.

        In turn they are a cell as it is claimed, and one with a seed that is not claimed for its
        value, with the mean of the value's claims as metric. Such a seed is of the claimed ones'
        own range: nothing tells a `run_cell` without its table that it is tested.
        """
        cells: dict[Value, list[StudyCell]] = defaultdict(list)
        for cell in self.claims(submission, factor, task):
            cells[cell.value].append(cell)
        missing = sorted(set(values) - cells.keys(), key=str)
        require(not missing, f"{_place(task, factor)}: the values {missing} are missing")
        claimed = list(cells)
        chosen = values or [claimed[place] for place in rng.permutation(len(claimed))[:count]]
        return [
            _fresh(cells[value], rng) if turn % 2 else _one_of(cells[value], rng)
            for turn, value in enumerate(chosen)
        ]

    def seeds(self, submission: Submitted, rng: np.random.Generator, count: int) -> list[int]:
        """Return different seeds of the range of the claimed ones, or of few where none is claimed.

        Nothing tells a `run_cell` that it is tested, whether or not it knows its own claims.
        """
        try:
            claimed = {cell.seed for cell in self.read(submission)}
        except AssertionError:  # what is wrong with the table is told by the tests of the table
            claimed = set()
        drawn: dict[int, None] = {}
        while len(drawn) < count:
            drawn[int(rng.integers(_range(claimed)))] = None
        return list(drawn)

    def trials(
        self,
        student: Student,
        cells: Sequence[StudyCell],
        measure: Callable[[StudyCell], float],
        *data: Any,
    ) -> list[Trial]:
        """Run cells again with the student's `run_cell`, and measure a network for each.

        `measure(cell)` trains by the student's own training, called with the settings, seed and
        data that `run_cell` should call it with, and returns the metric as the suite measures it.
        `data` is what `run_cell` gets beside the cell.
        """
        found = []
        for cell in cells:
            task = (cell.task,) if self.tasks else ()
            rerun = self.run(student, *task, cell.factor, cell.value, cell.seed, *data)
            found.append(Trial(cell, rerun, measure(cell)))
        return found

    def means(self, submission: Submitted, factor: str, task: str = "") -> dict[Value, float]:
        """Return the mean metric of each value of a factor, over its seeds."""
        metrics: dict[Value, list[float]] = defaultdict(list)
        for cell in self.claims(submission, factor, task):
            metrics[cell.value].append(cell.metric)
        return {value: math.fsum(found) / len(found) for value, found in metrics.items()}

    def require_covered(self, submission: Submitted, factor: str, task: str = "") -> None:
        """Assert that a factor's asked values are there, and enough of them and of their seeds."""
        seeds: dict[Value, set[int]] = defaultdict(set)
        for cell in self.claims(submission, factor, task):
            seeds[cell.value].add(cell.seed)
        require(len(seeds) >= LEAST, f"{len(seeds)} values of {factor}, expected {LEAST} or more")
        missing = sorted(set(self.required[factor]) - seeds.keys(), key=str)
        require(not missing, f"{factor}: the values {missing} are missing")
        few = [value for value, found in seeds.items() if len(found) < LEAST]
        require(not few, f"{factor}: fewer than {LEAST} seeds for {few}")

    def require_no_doubles(self, submission: Submitted) -> None:
        """Assert that the file is long enough, and no cell twice in it with different numbers."""
        cells = self.read(submission)
        sweeps = len(self.required) * max(len(self.tasks), 1)
        require(len(cells) >= LEAST * LEAST * sweeps, f"only {len(cells)} cells")
        metrics: dict[StudyCell, float] = {}
        for cell in cells:
            known = metrics.setdefault(replace(cell, metric=0.0), cell.metric)
            require(known == cell.metric, f"{cell} stands twice")


def _one_of(cells: Sequence[StudyCell], rng: np.random.Generator) -> StudyCell:
    return cells[int(rng.integers(len(cells)))]


def _fresh(cells: Sequence[StudyCell], rng: np.random.Generator) -> StudyCell:
    """Return a cell of the value of `cells` with another seed, and the mean of their metrics."""
    claimed = {cell.seed for cell in cells}
    while (seed := int(rng.integers(_range(claimed)))) in claimed:
        pass
    mean = math.fsum(cell.metric for cell in cells) / len(cells)
    return replace(cells[0], seed=seed, metric=mean)


def _range(claimed: Collection[int]) -> int:
    """Return how many seeds to draw from: twice as many as are claimed, so that one is soon new."""
    return min(max(2 * max(claimed, default=0) + 2, _SEEDS), _MAX_SEED)


def _wrong_line(row: TableRow, why: str) -> WrongAnswer:
    """Return the error for a line: the file was handed in before anything hidden was drawn."""
    told = Diagnosis(cause=Cause.TABLE_LINE, got=str(row.line))
    return WrongAnswer(f"line {row.line}: {why}", told)


def _place(task: str, rest: str) -> str:
    """Join a task, if the study has several, and what stands within it."""
    return f"{task}, {rest}" if task else rest
