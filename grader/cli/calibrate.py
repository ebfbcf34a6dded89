"""``grader calibrate``: prove a lab's bars by many runs of its reference."""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from grader.authoring.calibrate import (
    FEWEST_RUNS,
    Calibration,
    CalibrationPlan,
    Comparison,
    Counts,
    JudgedBar,
    LoggedRun,
    bars_of,
    compare_runs,
    confirmed,
    judge_bars,
    load_calibration,
    make_calibration,
    save_calibration,
    unproven_bars,
    variants_of,
    with_added,
)
from grader.authoring.rescore import other_home
from grader.cli.home import graded_by_tests
from grader.errors import AuthoringError
from grader.lab.catalogue import Catalogue, Lab, find_home

_WIDTH = 160


@click.command()
@click.argument("slug")
@click.option(
    "--runs",
    type=click.IntRange(min=FEWEST_RUNS),
    default=FEWEST_RUNS,
    show_default=True,
    help="Runs of the reference for each variant, each with other hidden inputs.",
)
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Runs side by side.")
@click.option("--variant", "variants", multiple=True, help="Only this variant; may be repeated.")
@click.option(
    "--baseline",
    "baselines",
    multiple=True,
    help="Only this weak solution of reference/SLUG/baselines; may be repeated.",
)
@click.option(
    "--plots",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the pictures, one a bar; docs/labs/SLUG by default.",
)
@click.option(
    "--confirm",
    "confirming",
    type=click.IntRange(min=1),
    metavar="K",
    help="Only make sure that a change moved no figure, by K runs of each variant.",
)
@click.option(
    "--against",
    default="HEAD",
    show_default=True,
    metavar="OTHER",
    help="With --confirm: what was calibrated, a git revision or the folder of another home.",
)
def calibrate(
    slug: str,
    runs: int,
    jobs: int,
    variants: tuple[str, ...],
    baselines: tuple[str, ...],
    plots: Path | None,
    confirming: int | None,
    against: str,
) -> None:
    """Calibrate the bars of lab SLUG.

    The reference is graded under many keys, only by the tests that measure something; wrong
    solutions once. What they measured goes to reference/SLUG/calibration.json and into pictures.
    A run that has been made is not made again unless its solution or what a measuring test sees
    has changed. Exits with 1 if a bar is refused: its reference may miss it in more than 0.1 % of
    all runs.

    After a change that moves no figure, such as another name in the reference, --confirm runs K
    keys of each variant as it was and as it is. If every figure is the same, the calibration is
    renewed, and what new tests measure is added to it by as many runs as the others had; if one
    differs, the exit code is 1 and all of it is to be made again.
    """
    home = find_home()
    lab = graded_by_tests(Catalogue(home).get(slug))
    if confirming is not None:
        calibration = _confirm(home, lab, confirming, jobs, against)
    else:
        plan = CalibrationPlan(runs, _chosen(lab, variants), baselines, jobs)
        with _MeasuringDisplay(Console(stderr=True)) as watch:
            calibration = make_calibration(
                lab, plan, today=_today(), on_start=watch.start, on_run=watch.ended
            )
    save_calibration(lab, calibration)
    # Importing matplotlib costs more than most commands: only this one pays for it.
    draw_bars = importlib.import_module("grader.authoring.calibrate.plots").draw_bars
    drawn = draw_bars(bars_of(lab), calibration, plots or home / "docs" / "labs" / slug)
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH  # a log has no edge to stay within
    show(console, judge_bars(lab, calibration))
    console.print(_cost(calibration), markup=False)
    console.print(f"{len(drawn)} pictures in {drawn[0].parent}" if drawn else "", markup=False)
    refused = unproven_bars(lab)
    for objection in refused:
        console.print(f":( {objection}", markup=False, soft_wrap=True)
    raise SystemExit(1 if refused else 0)


def _confirm(home: Path, lab: Lab, runs: int, jobs: int, against: str) -> Calibration:
    """Return the calibration as one of the lab as it is; exit and say which figures have moved."""
    slug = lab.assignment.slug
    calibration = load_calibration(lab)
    if calibration is None:
        raise AuthoringError([f"{slug} has no calibration; run: grader calibrate {slug}"])
    with other_home(home, slug, against) as other:
        comparisons = compare_runs(
            lab, other.get(slug), calibration, runs, jobs=jobs, on_comparison=_show_comparison
        )
    if any(found.differences for found in comparisons):
        click.echo(f"Figures have moved; make the calibration anew: grader calibrate {slug}")
        raise SystemExit(1)
    renewed = confirmed(lab, calibration, comparisons, today=_today())
    click.echo(f"{slug}: no figure has moved in {len(comparisons)} comparisons; renewed.")
    for test in sorted(frozenset().union(*(found.gone for found in comparisons))):
        click.echo(f"gone: {test}")
    with _MeasuringDisplay(Console(stderr=True)) as watch:
        whole = with_added(lab, renewed, jobs=jobs, on_start=watch.start, on_run=watch.ended)
    before = {test for found in renewed.variants for test in found.tests}
    for test in sorted({test for found in whole.variants for test in found.tests} - before):
        click.echo(f"added: {test}")
    return whole


def _today() -> date:
    return datetime.now(UTC).date()


def _show_comparison(found: Comparison) -> None:
    variant = f" {found.variant}" if found.variant else ""
    face = ":(" if found.differences else ":)"
    click.echo(f"{face} run {found.number}{variant}: {found.cpu_seconds:.1f} CPU s")
    for difference in found.differences:
        click.echo(f"     {difference}")


def _chosen(lab: Lab, wanted: tuple[str, ...]) -> tuple[str | None, ...]:
    known = variants_of(lab)
    for name in wanted:
        if name not in known:
            names = ", ".join(filter(None, known)) or "none"
            raise click.BadParameter(f"there is no variant {name!r}; known: {names}")
    return wanted or known


def show(console: Console, rows: Sequence[JudgedBar]) -> None:
    """Print a table of judged bars."""
    table = Table(box=None, pad_edge=False)
    for title in ("", "bar", "variant"):
        table.add_column(title)
    for title in ("n", "mean", "sd", "worst", "bar at", "margin", "misses", "counting"):
        table.add_column(title, justify="right")
    table.add_column("best wrong solution held back")
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    console.print(
        "mean, sd on the bar's scale; margin in sd; misses: upper bound of the reference's, at "
        "95 % (t: by the tail, for it is not normal; c: by counting); counting: without any shape.",
        markup=False,
        soft_wrap=True,
    )


def cells(row: JudgedBar) -> tuple[str, ...]:
    """Return what the table says of one bar."""
    found, best = row.assessment, row.best
    baseline = f"{best.value:.3g} {best.name} (-{best.gap:.1f} sd)" if best else "-"
    if row.passing:
        baseline += f"; {len(row.passing)} baselines pass"
    mark = {Counts.TAIL: " t", Counts.FREE: " c", Counts.NORMAL: ""}[found.counts]
    return (
        ":)" if found.accepted else ":(",
        row.bar,
        row.variant or "-",
        str(found.n),
        f"{found.mean:.3f}",
        f"{found.sd:.3f}",
        f"{found.worst:.3g}",
        f"{found.threshold:.3g}",
        f"{found.margin:.1f}",
        f"{found.bound:.2g}{mark}",
        f"{found.free:.2g}",
        baseline,
    )


def _cost(calibration: Calibration) -> str:
    costs = (
        f"{runs.variant or 'a run'} {runs.cpu_seconds_mean:.1f} (most {runs.cpu_seconds_max:.1f})"
        for runs in calibration.variants
    )
    return f"CPU seconds of the measuring tests: {', '.join(costs)}"


class _MeasuringDisplay:
    """A bar with the time left on a terminal, a line a run elsewhere."""

    def __init__(self, console: Console) -> None:
        self._live = console.is_terminal
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self._live,
        )
        self._task = self._progress.add_task("Calibrating", total=None)
        self._done = 0
        self._total = 0

    def __enter__(self) -> _MeasuringDisplay:
        self._progress.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._progress.stop()

    def start(self, total: int) -> None:
        """Hear how many runs there are."""
        self._total = total
        self._progress.update(self._task, total=total)

    def ended(self, run: LoggedRun, now: bool) -> None:
        """Hear of a run that ended, or that was known."""
        self._done += 1
        self._progress.advance(self._task)
        if not self._live:
            of = f"/{self._total}" if self._total else ""
            variant = f" {run.variant}" if run.variant else ""
            how = f"{run.cpu_seconds:.1f} CPU s" if now else "known"
            text = f"[{self._done}{of}] {run.solution} {run.number}{variant}: {how}"
            click.echo(text, err=True)
