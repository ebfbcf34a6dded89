"""The files a batch writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from grader.grading import GradedSubmission
from grader.report.export import (
    for_spreadsheets,
    to_csv,
    to_gradescope,
    to_json,
    to_junit,
    write_atomically,
)


@dataclass(frozen=True)
class Outputs:
    """Where each format goes; None for one that was not asked for."""

    json: Path | None = None
    csv: Path | None = None
    junit: Path | None = None
    gradescope: Path | None = None
    artifacts: Path | None = None

    def check(self, submissions: int) -> None:
        """Refuse, before the long work, what could not be written after it."""
        if self.gradescope and submissions != 1:
            raise click.UsageError(
                f"--gradescope holds one submission, and there are {submissions}; name one."
            )
        for file in (self.json, self.csv, self.junit, self.gradescope):
            if file:
                _make_folder(file.parent)
        if self.artifacts:
            _make_folder(self.artifacts)

    def write(self, results: Sequence[GradedSubmission]) -> None:
        """Write every format that was asked for, each file at once or not at all."""
        reports = [result.report for result in results]
        if self.artifacts:
            for digest, data in (pair for result in results for pair in result.artifacts.items()):
                write_atomically(self.artifacts / f"{digest}.png", data)
        if self.csv:
            write_atomically(self.csv, for_spreadsheets(to_csv(reports)))
        if self.junit:
            write_atomically(self.junit, to_junit(reports))
        if self.gradescope:
            write_atomically(self.gradescope, to_gradescope(reports[0]))
        if self.json:
            write_atomically(self.json, to_json(reports))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.UsageError(f"The folder {folder} cannot be made: {error.strerror}.") from None
