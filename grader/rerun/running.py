"""One source in a sandbox: it gets rows to learn from and rows to predict, and no label of these.

A source is called once, ``predict(train, test)``, in a sandbox of its own, as hidden tests call a
submission: without network, with the manifest's CPU time and memory. What it returns is checked
here before anything is computed with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from grader.competition.drawn import Arrays
from grader.competition.metrics import Values
from grader.errors import GradingError, SandboxError
from grader.grading.laid_out import lay_out_code
from grader.intake import Submission
from grader.lab.competition import CompetitionRules
from grader.lab.manifest import Assignment
from grader.sandbox import Cell, Sandbox, SandboxSpec, Tier, ZygoteProcess, confinement
from grader.sandbox.host.proxy import RemoteModule

ENTRY_POINT = "predict"
_SPARE_SECONDS = 60  # of CPU, by which a process's hard stop lies beyond the limit


class WrongPredictions(Exception):
    """What a source returned is no set of predictions; its message says why."""


@dataclass(frozen=True)
class SourceRun:
    """The predictions that a source made, and what that took."""

    predictions: Values  # [rows, columns]
    cpu_seconds: float


class SourceRunner:
    """Runs sources one after another, each in a sandbox that is thrown away."""

    def __init__(
        self,
        assignment: Assignment,
        rules: CompetitionRules,
        *,
        minimum_tier: Tier | None = None,
        conceal: Sequence[Path] = (),
    ) -> None:
        """Start nothing yet. `conceal` are folders of ours that no source may see.

        Raises GradingError if the manifest names no source, SandboxError without a sandbox.
        """
        if rules.source is None:
            raise GradingError(f"{assignment.slug} names no `source` in its manifest to run")
        self._assignment, self._rules = assignment, rules
        self._module = rules.source.removesuffix(".py").replace("/", ".")
        self._spec = SandboxSpec(
            warm=("numpy", "torch"),
            memory_mb=assignment.limits.memory_mb,
            cpu_seconds=int(assignment.limits.cpu_seconds) + _SPARE_SECONDS,
            gpu=assignment.gpu,
            conceal=tuple(folder.resolve() for folder in conceal),
        )
        self._where = confinement(minimum=minimum_tier)
        self._zygote: ZygoteProcess | None = None

    @property
    def tier(self) -> Tier:
        """The sandbox tier that sources run in."""
        return self._where.tier

    def run(self, source: Submission, train: Arrays, test: Arrays, seed: int) -> SourceRun:
        """Return what a source predicts for `test`.

        Raises StudentError or WrongPredictions for what is the team's own doing, SandboxError for
        what is ours.
        """
        try:
            return self._run(source, train, test, seed)
        except SandboxError:
            self.close()  # the next source gets a new zygote
            raise

    def _run(self, source: Submission, train: Arrays, test: Arrays, seed: int) -> SourceRun:
        with self._sandbox(source) as sandbox:
            limit = self._assignment.limits.cpu_seconds
            with sandbox.session(seed, limit) as session:
                module = RemoteModule(session.channel, self._module, sandbox.failures)
                answer = getattr(module, ENTRY_POINT)(dict(train), dict(test))
            rows = len(next(iter(test.values())))
            return SourceRun(checked(answer, rows, self._rules), sandbox.cpu_seconds())

    @contextmanager
    def _sandbox(self, source: Submission) -> Iterator[Sandbox]:
        """Import a source in a sandbox of its own, which is removed on leaving."""
        zygote = self._zygote = self._zygote or ZygoteProcess(self._where, self._spec)
        cells: list[Cell] = []

        def supply() -> Cell:
            cells.append(zygote.spawn())
            return cells[-1]

        limit = self._assignment.limits.import_cpu_seconds
        write = partial(lay_out_code, self._assignment, source)
        try:
            with closing(Sandbox(supply, write, (self._module,), limit)) as sandbox:
                yield sandbox
        finally:
            for cell in cells:
                zygote.discard(cell)

    def close(self) -> None:
        """End the zygote, and with it whatever still runs."""
        if self._zygote is not None:
            self._zygote.close()
            self._zygote = None

    def __enter__(self) -> Self:
        """Return the runner itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


def checked(answer: Any, rows: int, rules: CompetitionRules) -> Values:
    """Return a source's answer as predictions [rows, columns]; WrongPredictions says what is wrong.

    Classes are their places in the manifest's list.
    """
    columns = len(rules.predicted)
    if type(answer) is not np.ndarray or answer.dtype.kind not in "biuf":
        raise WrongPredictions(f"{ENTRY_POINT} must return a NumPy array of numbers")
    if answer.shape != (rows, columns) and (columns > 1 or answer.shape != (rows,)):
        raise WrongPredictions(
            f"{ENTRY_POINT} must return shape ({rows}, {columns}), it returned {answer.shape}"
        )
    values = answer.astype(np.float64).reshape(rows, columns)
    if not np.isfinite(values).all():
        raise WrongPredictions(f"{ENTRY_POINT} returned numbers that are not finite")
    if rules.classes and not np.isin(values, range(len(rules.classes))).all():
        last = len(rules.classes) - 1
        raise WrongPredictions(f"{ENTRY_POINT} must return whole numbers from 0 to {last}")
    return np.sort(values, axis=1) if rules.unordered else values
