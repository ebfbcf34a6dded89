"""``grader validate``: prove the suites of labs."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar
from rich.table import Table

from grader.authoring.validate import Finding, Validation, ValidationPlan, check_count, validate
from grader.authoring.validate.automatic import MutantProgress
from grader.errors import GradingError, ManifestError, ProctorError
from grader.lab.catalogue import Catalogue, Lab, find_home
from grader.lab.data import lacking

_EVERY = 25  # mutants between two lines where there is no terminal


@click.command("validate")
@click.argument("slug", required=False)
@click.option("--all", "every", is_flag=True, help="Every lab of the course, one after another.")
@click.option(
    "--seeds",
    default=10,
    show_default=True,
    type=click.IntRange(min=0),
    help="Runs of the reference, each with other hidden inputs.",
)
@click.option(
    "--repeats",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="Runs under one key, which must agree.",
)
@click.option(
    "--automatic/--no-automatic",
    default=True,
    show_default=True,
    help="Run mutants made from the reference's syntax tree.",
)
@click.option("--sample", type=click.IntRange(min=1), help="Only so many automatic mutants.")
@click.option("--fresh", is_flag=True, help="Run everything, also what is known from before.")
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Runs side by side.")
def validate_command(
    slug: str | None,
    every: bool,
    seeds: int,
    repeats: int,
    automatic: bool,
    sample: int | None,
    fresh: bool,
    jobs: int,
) -> None:
    """Prove the hidden suite of lab SLUG.

    The reference must earn full marks on every seed, the skeleton and answers of the wrong kind
    nothing, every mutant must lose the test it names, and repeated runs must agree. Skeleton and
    reference must fit together, every bar must be calibrated. Where files are to be written from
    scratch, the reference and the given files must be so too.

    Of a competition the data, the points, the baseline, the public checks and a re-run of the
    starter are proven in their place.

    Automatic mutants change one thing each in what students write; at least 95 % must lose a
    test. One that is as right as the reference is explained in reference/SLUG/equivalent.toml.
    What every test came to is kept (see grader cache), so that an interrupted run goes on where it
    was, and after a change only those tests run again that it can touch.

    Exits with 1 if one of these does not hold. With --all a lab whose data this machine lacks, or
    that cannot be run, is told and passed over; the last lines say what each lab came to, and the
    exit code is 1, for not all was proven.
    """
    if every == (slug is not None):
        raise click.UsageError("Name one lab, or say --all.")
    catalogue = Catalogue(find_home())
    plan = ValidationPlan(seeds, repeats, automatic, sample, jobs, fresh)
    # A mutant's name, model.py:train:drop, is to be copied: ":train:" in it is no picture.
    console = Console(highlight=False, emoji=False)
    if slug is not None:
        raise SystemExit(0 if _validate(catalogue.get(slug), plan, console).sound else 1)
    problems = catalogue.problems()
    for problem in problems:
        console.print(str(problem), markup=False)
    verdicts = [_verdict(lab, plan, console) for lab in catalogue.labs()]
    _show_summary(verdicts, problems, console)
    raise SystemExit(0 if not problems and all(one.proven for one in verdicts) else 1)


@dataclass(frozen=True)
class _Verdict:
    """What one of several labs came to."""

    slug: str
    validation: Validation | None  # None if it could not be made
    hindrance: str = ""  # why it could not

    @property
    def proven(self) -> bool:
        return self.validation is not None and self.validation.sound

    @property
    def said(self) -> str:
        if self.validation is None:
            return f"not validated. {self.hindrance}"
        return _outcome(self.validation)


def _verdict(lab: Lab, plan: ValidationPlan, console: Console) -> _Verdict:
    """Validate one of several labs; what hinders it is no reason to leave out the next."""
    slug = lab.assignment.slug
    try:
        return _Verdict(slug, _validate(lab, plan, console))
    except ProctorError as error:
        found = _Verdict(slug, None, str(error))
    console.print(f"{slug}: {found.said}", markup=False, soft_wrap=True)
    return found


def _show_summary(
    verdicts: Sequence[_Verdict], problems: Sequence[ManifestError], console: Console
) -> None:
    """Print a table of what was run, and what each lab came to, unreadable ones too."""
    console.print(_table([one.validation for one in verdicts if one.validation]))
    for one in verdicts:
        face = ":)" if one.proven else ":("
        console.print(f"{face} {one.slug}: {one.said}", markup=False, soft_wrap=True)
    for problem in problems:
        console.print(f":( {problem}", markup=False, soft_wrap=True)
    proven = sum(one.proven for one in verdicts)
    console.print(f"{proven} of {len(verdicts) + len(problems)} labs proven.")


def _outcome(result: Validation) -> str:
    total = len(result.findings)
    failed = sum(not finding.holds for finding in result.findings)
    return f"{failed} of {total} claims do not hold." if failed else f"all {total} claims hold."


def _validate(lab: Lab, plan: ValidationPlan, console: Console) -> Validation:
    """Validate a lab and say each claim; GradingError at once if its data are missing here."""
    lack = lacking(lab.assignment)
    if lack:
        raise GradingError(lack)
    total, done = check_count(lab, plan), 0

    def show(finding: Finding) -> None:
        nonlocal done
        done += 1
        face = ":)" if finding.holds else ":("
        console.print(f"{done:>3}/{total} {face} {finding.claim}", markup=False, soft_wrap=True)
        for line in finding.detail.splitlines():
            console.print(f"          {line}", markup=False, soft_wrap=True)

    with _MutantDisplay(console) as watch:
        result = validate(lab, plan, on_finding=show, on_progress=watch.on_progress)
    console.print(f"{lab.assignment.slug}: {_outcome(result)}", markup=False)
    return result


class _MutantDisplay:
    """How automatic mutants go: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: float | None = None
        self._bar = ProgressBar(
            TextColumn("Mutants"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[survived]} survive"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )

    def on_progress(self, progress: MutantProgress) -> None:
        """Show how far the mutants are and when they will be done."""
        if self._console.is_terminal:
            if not self._bar.tasks:
                self._bar.start()
                self._bar.add_task("Mutants", total=progress.total, survived=0)
            self._bar.update(
                self._bar.tasks[0].id, completed=progress.done, survived=progress.survived
            )
        elif progress.done % _EVERY == 0:
            self._line(progress)

    def _line(self, progress: MutantProgress) -> None:
        self._started = self._started or time.monotonic()
        reached = f"[{progress.done}/{progress.total}] mutants, {progress.survived} survive"
        spent = time.monotonic() - self._started
        left = spent / max(progress.done - _EVERY, 1) * (progress.total - progress.done)
        line = f"{reached}, about {left / 60:.0f} min left" if spent else reached
        click.echo(line, err=True)

    def __enter__(self) -> _MutantDisplay:
        """Return the watch itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Put the bar away."""
        self._bar.stop()


def _table(results: list[Validation]) -> Table:
    """Return one row a lab."""
    table = Table(box=None, pad_edge=False)
    table.add_column("LAB")
    for title in ("CLAIMS", "SEEDS", "BY HAND", "KILLED", "EXPLAINED", "SURVIVE", "MIN", "CPU MIN"):
        table.add_column(title, justify="right")
    for result in results:
        held = sum(finding.holds for finding in result.findings)
        mutants = result.automatic
        counts = ["-", "-", "-"]
        if mutants:
            groups = (mutants.killed, mutants.explained, (*mutants.survived, *mutants.faults))
            counts = [str(len(group)) for group in groups]
        table.add_row(
            result.slug,
            f"{held}/{len(result.findings)}",
            str(result.plan.seeds),
            str(result.mutants),
            *counts,
            f"{result.minutes:.1f}",
            f"{result.cpu_minutes:.1f}",
        )
    return table
