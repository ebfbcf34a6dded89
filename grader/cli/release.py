"""``grader release``: make the public half of a lab from the staff's half."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from grader.authoring.release import Release, plan_release, write_solved
from grader.cli.home import lab_of
from grader.cli.run import check_variant
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
@click.option(
    "--solution",
    "solved",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write only this: the students' folder, solved by the reference, to run its study there.",
)
@click.option("--variant", metavar="NAME", help="With --solution: that of this variant.")
@click.pass_context
def release(
    ctx: click.Context,
    slug: str,
    check: bool,
    archive: Path | None,
    solved: Path | None,
    variant: str | None,
) -> None:
    """Make what students get of lab SLUG.

    The skeleton is the reference without what stands between # BEGIN SOLUTION and
    # END SOLUTION; the notebook is made of the skeleton and the handout; given files are copied.
    Nothing is written if a file for students would hold a solution, the name of a hidden test or
    a mutant, or a file of staff's.

    Exits with 1 if something differs under --check, or must be mended first.
    """
    if check and archive:
        raise click.UsageError("--check writes nothing; leave out --zip, or --check.")
    if solved and (check or archive):
        raise click.UsageError("--solution stands alone; leave out --check and --zip.")
    if variant and not solved:
        raise click.UsageError("--variant is for --solution: a release is the same for all.")
    try:
        if solved:
            check_variant(lab_of(slug), variant)
            count = write_solved(find_home(), slug, solved, variant)
            click.echo(f"Wrote {solved}: {count} files.")
            return
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
