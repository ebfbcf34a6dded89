"""``grader release``: make the public half of a lab from the staff's half."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from grader.authoring.release import Release, plan_release
from grader.errors import AuthoringError
from grader.lab.catalogue import find_home
from grader.report.export import write_atomically


@click.command()
@click.argument("slug")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change.")
@click.option(
    "--zip",
    "archive",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the students' zip to this file too.",
)
@click.pass_context
def release(ctx: click.Context, slug: str, check: bool, archive: Path | None) -> None:
    """Make what students get of lab SLUG.

    The skeleton is the reference without what stands between # BEGIN SOLUTION and
    # END SOLUTION; the notebook is made of the skeleton and the handout; given files are copied.
    Nothing is written if a file for students would hold a solution, the name of a hidden test or
    a mutant, or a file of staff's.

    Exits with 1 if something differs under --check, or must be mended first.
    """
    if check and archive:
        raise click.UsageError("--check writes nothing; leave out --zip, or --check.")
    try:
        planned = plan_release(find_home(), slug)
        if check:
            ctx.exit(_report(slug, planned))
        written = planned.write()
    except AuthoringError as refusal:
        click.echo(f"{slug} cannot be released yet:", err=True)
        for problem in refusal.problems:
            click.echo(f"  - {problem}", err=True)
        ctx.exit(1)
    for path in written:
        click.echo(f"Wrote assignments/{slug}/{path}")
    click.echo(f"{slug}: {len(written)} of {len(planned.made)} files made anew.")
    if archive:
        packed = planned.zip()
        write_atomically(archive, packed)
        digest = hashlib.sha256(packed).hexdigest()
        click.echo(f"Wrote {archive}: {len(planned.files)} files, SHA-256 {digest}")


def _report(slug: str, planned: Release) -> int:
    """Say what a release would change and what it would refuse; return the exit code."""
    changes = planned.changes()
    for line in (*(f"assignments/{slug}/{change}" for change in changes), *planned.leaks):
        click.echo(line)
    if changes:
        click.echo(f"Make them anew with: grader release {slug}")
    if not changes and not planned.leaks:
        click.echo(f"{slug}: all {len(planned.made)} files are as the reference says.")
    return 1 if changes or planned.leaks else 0
