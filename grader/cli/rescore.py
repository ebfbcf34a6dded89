"""``grader rescore``: who would move, and why, if this suite replaced another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.authoring.rescore import (
    Change,
    changes,
    changes_to_csv,
    changes_to_json,
    moved,
    other_home,
    points_cell,
    reports_in,
    score_cell,
    summary,
    why,
)
from grader.cli.check import split_arguments
from grader.cli.home import catalogue, graded_by_tests
from grader.cli.progress import watching
from grader.cli.run import check_paths, check_variant, hand_ins_at
from grader.cli.summary import cache_lines, note_unreadable
from grader.errors import ProctorError
from grader.grading import ResultCache, cache_folder
from grader.grading.batch import Settings, pool_for, run_batch
from grader.grading.keys import grading_key
from grader.intake.exports import HandIn
from grader.lab.catalogue import Lab
from grader.report.export import for_spreadsheets, write_atomically
from grader.report.report import Report, RunStatus
from grader.text import clean_line

_FILE = click.Path(dir_okay=False, path_type=Path)
_ROWS = 30


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[SLUG] PATH...")
@click.option("--assignment", "slug", metavar="SLUG", help="The lab; else the first argument.")
@click.option(
    "--against", default="HEAD", show_default=True, metavar="OTHER", help="The other suite."
)
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="At once; default: the CPUs.")
@click.option("--variant", metavar="NAME", help="The term's variant of the lab.")
@click.option("--json", "json_file", type=_FILE, help="Everybody, with every test.")
@click.option("--csv", "csv_file", type=_FILE, help="Everybody, a line each.")
@click.option("--limit", default=_ROWS, show_default=True, help="Rows to show; 0 for all.")
@click.option("--minimum-tier", type=click.IntRange(1, 4), help="Grade only with this sandbox.")
@click.option("--seed-key", type=_FILE, help="File with the key of the hidden inputs.")
@click.option("--no-cache", is_flag=True, help="Run every test, also those whose result is known.")
@click.pass_context
def rescore(
    ctx: click.Context,
    arguments: tuple[str, ...],
    slug: str | None,
    against: str,
    jobs: int | None,
    variant: str | None,
    json_file: Path | None,
    csv_file: Path | None,
    limit: int,
    minimum_tier: int | None,
    seed_key: Path | None,
    no_cache: bool,
) -> None:
    """Tell who would move if this suite replaced another.

    PATH is what grader run takes. OTHER is a git revision of this home, the folder of another
    home, or a file that grader run --json wrote. Tests that are the same in both suites are
    taken from the cache. No grade is changed.

    Exits with 0 if nobody moves, with 1 if somebody does, or if a fault of ours left somebody
    without a score.
    """
    slug, paths = split_arguments(arguments, slug)
    check_paths(paths)
    home = catalogue()
    lab = graded_by_tests(home.get(slug))
    check_variant(lab, variant)
    hand_ins = hand_ins_at(paths, lab)
    cache = None if no_cache else ResultCache(cache_folder())
    settings = Settings(
        grading_key(seed_key), jobs or os.cpu_count() or 1, variant, minimum_tier, cache
    )
    before = reports_in(against)
    if before is None:
        with other_home(home.root, slug, against) as other:
            labs = {f"Before ({against})": other.get(slug), "After (this suite)": lab}
            before, after = _grade(labs, hand_ins, settings)
    else:
        (after,) = _grade({"After (this suite)": lab}, hand_ins, settings)
        names = {hand_in.name for hand_in in hand_ins}
        before = [report for report in before if report.submission in names]
    found = changes(before, after)
    _write(found, json_file, csv_file)
    _print(found, [*before, *after], limit)
    note_unreadable(cache)
    faults = any(report.status is RunStatus.GRADER_ERROR for report in after)
    ctx.exit(1 if moved(found) or faults else 0)


def _grade(
    labs: Mapping[str, Lab], hand_ins: Sequence[HandIn], settings: Settings
) -> list[list[Report]]:
    """Grade every submission with each lab in turn; its name is told as it begins."""
    graded = []
    with pool_for(settings) as pool:
        for name, lab in labs.items():
            click.echo(name, err=True)
            with watching([hand_in.name for hand_in in hand_ins]) as watcher:
                results = run_batch(lab, hand_ins, settings, watcher=watcher, grade=pool.grade)
            if len(results) < len(hand_ins):
                raise ProctorError(f"Stopped: {len(results)} of {len(hand_ins)} were graded.")
            graded.append([result.report for result in results])
    return graded


def _write(found: Sequence[Change], json_file: Path | None, csv_file: Path | None) -> None:
    if json_file:
        write_atomically(json_file, changes_to_json(found))
    if csv_file:
        write_atomically(csv_file, for_spreadsheets(changes_to_csv(found)))


def _print(found: Sequence[Change], reports: Sequence[Report], limit: int) -> None:
    for line in summary(found):
        click.echo(line)
    rows = [change for change in found if change.moves or change.flips]
    shown = rows[:limit] if limit else rows
    if shown:
        click.echo()
        Console().print(_table(shown))
    if len(shown) < len(rows):
        click.echo(f"... and {len(rows) - len(shown)} more; --limit 0 shows all.")
    for line in cache_lines(reports):
        click.echo(f"\n{line}")


def _table(rows: Sequence[Change]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("SUBMISSION", overflow="fold", ratio=2)
    for heading in ("BEFORE", "AFTER", "POINTS"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("WHY", overflow="fold", ratio=5)
    for change in rows:
        cells = (
            clean_line(change.name, 80),
            score_cell(change.before),
            score_cell(change.after),
            points_cell(change),
            why(change),
        )
        table.add_row(*map(Text, cells))
    return table
