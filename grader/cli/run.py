"""``grader run``: grade files, folders and whole batches."""

from __future__ import annotations

import os
from pathlib import Path

import click

from grader.cli.check import split_arguments
from grader.cli.home import graded_by_tests, lab_of
from grader.cli.outputs import Outputs
from grader.cli.progress import watching
from grader.cli.summary import note_unreadable, print_summary
from grader.grading import ResultCache, cache_folder
from grader.grading.batch import Settings, run_batch
from grader.grading.keys import grading_key
from grader.intake.exports import HandIn, find_hand_ins
from grader.lab.catalogue import Lab
from grader.report.report import RunStatus

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[SLUG] PATH...")
@click.option("--assignment", "slug", metavar="SLUG", help="The lab; else the first argument.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="At once; default: the CPUs.")
@click.option("--variant", metavar="NAME", help="The term's variant of the lab.")
@click.option("--json", "json_file", type=_FILE, help="Every report, as a list.")
@click.option("--csv", "csv_file", type=_FILE, help="A table of scores.")
@click.option("--junit", type=_FILE, help="JUnit XML, for staff.")
@click.option("--gradescope", type=_FILE, help="results.json of one submission.")
@click.option("--artifacts", type=_FOLDER, help="The pictures, by SHA-256.")
@click.option("--minimum-tier", type=click.IntRange(1, 4), help="Grade only with this sandbox.")
@click.option("--seed-key", type=_FILE, help="File with the key of the hidden inputs.")
@click.option("--no-cache", is_flag=True, help="Run every test, also those whose result is known.")
@click.pass_context
def run(
    ctx: click.Context,
    arguments: tuple[str, ...],
    slug: str | None,
    jobs: int | None,
    variant: str | None,
    json_file: Path | None,
    csv_file: Path | None,
    junit: Path | None,
    gradescope: Path | None,
    artifacts: Path | None,
    minimum_tier: int | None,
    seed_key: Path | None,
    no_cache: bool,
) -> None:
    """Grade submissions with a lab's hidden tests.

    PATH is a file, a zip, a folder with one submission, a folder with a file or folder for each
    (or with sections of these), or the unpacked export of Canvas, Moodle, Gradescope or
    Blackboard.

    The key of the hidden inputs is --seed-key, GRADER_KEY, or your own, made at first use.
    A test is not run again while nothing has changed that its result hangs on.

    Exits with 1 if a submission was refused or met a fault of ours, whatever the scores are.
    """
    slug, paths = split_arguments(arguments, slug)
    check_paths(paths)
    lab = graded_by_tests(lab_of(slug))
    check_variant(lab, variant)
    hand_ins = hand_ins_at(paths, lab)
    outputs = Outputs(json_file, csv_file, junit, gradescope, artifacts)
    outputs.check(len(hand_ins))
    cache = None if no_cache else ResultCache(cache_folder())
    settings = Settings(
        grading_key(seed_key), jobs or os.cpu_count() or 1, variant, minimum_tier, cache
    )
    with watching([hand_in.name for hand_in in hand_ins]) as watcher:
        results = run_batch(lab, hand_ins, settings, watcher=watcher)
    reports = [result.report for result in results]
    if reports:
        outputs.write(results)
        print_summary(reports)
    note_unreadable(cache)
    if len(reports) < len(hand_ins):
        click.echo(f"Stopped: {len(reports)} of {len(hand_ins)} are done.", err=True)
        ctx.exit(1)
    ctx.exit(0 if all(report.status is RunStatus.GRADED for report in reports) else 1)


def check_variant(lab: Lab, variant: str | None) -> None:
    """Refuse a variant that the lab does not have."""
    if variant is not None and variant not in lab.assignment.variants:
        known = ", ".join(lab.assignment.variants) or "none"
        raise click.UsageError(
            f"{lab.assignment.slug} has no variant {variant!r}; it has: {known}."
        )


def check_paths(paths: list[Path]) -> None:
    """Refuse paths that are not there, before anything is graded."""
    if not paths:
        raise click.UsageError("Name at least one PATH: a file, folder or zip to grade.")
    for path in paths:
        if not path.exists():
            raise click.UsageError(f"There is no file or folder {path}.")


def hand_ins_at(paths: list[Path], lab: Lab) -> tuple[HandIn, ...]:
    """Return the submissions that paths stand for, and say how the paths were read."""
    found = find_hand_ins(paths, lab.assignment)
    for system in found.systems:
        click.echo(f"Read as an export of {system}.", err=True)
    if found.sections:
        click.echo(f"Read as parts of the class: {', '.join(found.sections)}.", err=True)
    if found.left_out:
        click.echo(f"Left out, being no submissions: {', '.join(found.left_out)}.", err=True)
    return found.hand_ins
