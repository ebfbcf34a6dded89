"""How a batch goes, on standard error: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from grader import grading
from grader.grading.batch import Watcher
from grader.report.explain import points
from grader.report.report import Report
from grader.text import clean_line


@contextmanager
def watching(names: Sequence[str], console: Console | None = None) -> Iterator[Watcher]:
    """Give the watcher that fits where standard error goes, for as long as the batch runs."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield Lines(names)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, expand=True) as progress:
        yield BatchBar(names, progress)


class Lines:
    """One line for each submission that is done."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._done = 0

    def on_progress(self, index: int, progress: grading.GradingProgress) -> None:
        """Say nothing: a log needs no line a test."""

    def on_done(self, index: int, report: Report) -> None:
        """Write the submission's line."""
        self._done += 1
        score = "" if report.score is None else f" {points(report.score)}"
        maximum = "" if report.score is None else f"/{points(report.max_score)}"
        name = clean_line(self._names[index], 80)
        click.echo(
            f"[{self._done}/{len(self._names)}] {name}: {report.status.value}{score}{maximum}",
            err=True,
        )


class BatchBar:
    """A bar of submissions; each one counts by the share of its tests that have ended."""

    def __init__(self, names: Sequence[str], progress: Progress) -> None:
        self._names = names
        self._progress = progress
        self._all: TaskID = progress.add_task("Grading", total=len(names))
        self._tasks: dict[int, TaskID] = {}
        self._shares: dict[int, float] = {}

    def on_progress(self, index: int, progress: grading.GradingProgress) -> None:
        """Move the submission's own bar."""
        if index not in self._tasks:
            name = clean_line(self._names[index], 24)
            self._tasks[index] = self._progress.add_task(f"  {name}", total=progress.total)
        task = self._tasks[index]
        self._progress.update(task, completed=progress.done, total=progress.total)
        self._count(index, progress.done / max(progress.total, 1))

    def on_done(self, index: int, report: Report) -> None:
        """Move the bar of the batch and put the submission's away."""
        if index in self._tasks:
            self._progress.remove_task(self._tasks.pop(index))
        self._count(index, 1)

    def _count(self, index: int, share: float) -> None:
        self._shares[index] = share
        self._progress.update(self._all, completed=sum(list(self._shares.values())))
