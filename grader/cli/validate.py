"""``grader validate``: prove a lab's suite."""

from __future__ import annotations

import os

import click
from rich.console import Console

from grader.authoring import Finding, validate
from grader.authoring.validate import check_count
from grader.catalogue import Catalogue, find_home


@click.command("validate")
@click.argument("slug")
@click.option(
    "--seeds",
    default=10,
    show_default=True,
    help="Runs of the reference, each with other hidden inputs.",
)
@click.option(
    "--repeats", default=3, show_default=True, help="Runs under one key, which must agree."
)
@click.option("--jobs", default=os.cpu_count() or 1, show_default=True, help="Runs side by side.")
def validate_command(slug: str, seeds: int, repeats: int, jobs: int) -> None:
    """Prove the hidden suite of lab SLUG.

    The reference must earn full marks on every seed, the skeleton and answers of the wrong kind
    nothing, every mutant must lose the test it names, and repeated runs must agree.
    Exits with 1 if one of these does not hold.
    """
    lab = Catalogue(find_home()).get(slug)
    console = Console(highlight=False)
    total, done = check_count(lab, seeds), 0

    def show(finding: Finding) -> None:
        nonlocal done
        done += 1
        face = ":)" if finding.holds else ":("
        console.print(f"{done:>3}/{total} {face} {finding.claim}", markup=False)
        if finding.detail:
            console.print(f"          {finding.detail}", markup=False, soft_wrap=True)

    result = validate(lab, seeds=seeds, repeats=repeats, jobs=jobs, on_finding=show)
    failed = [finding for finding in result.findings if not finding.holds]
    console.print(
        f"{slug}: all {total} claims hold."
        if result.sound
        else f"{slug}: {len(failed)} of {total} claims do not hold.",
        markup=False,
    )
    raise SystemExit(0 if result.sound else 1)
