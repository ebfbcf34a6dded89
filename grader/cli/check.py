"""``grader check``: the public tests, for students."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.home import lab_of
from grader.errors import Rejected
from grader.intake import receive
from grader.public_tests.running import PublicResult, run_public_tests
from grader.report.explain import smiley
from grader.report.report import Outcome


@click.command()
@click.argument("arguments", nargs=-1, required=True, metavar="[SLUG] PATH")
@click.option("--assignment", "slug", metavar="SLUG", help="The lab; else the first argument.")
@click.pass_context
def check(ctx: click.Context, arguments: tuple[str, ...], slug: str | None) -> None:
    """Run a lab's public tests on your files.

    PATH is a file, a folder or a zip, as you would hand it in. The hidden tests decide the
    grade; these show whether your files arrive and do the basics.
    """
    slug, paths = split_arguments(arguments, slug)
    if len(paths) != 1:
        raise click.UsageError("Name one PATH: your file, folder or zip.")
    if not paths[0].exists():
        raise click.UsageError(f"There is no file or folder {paths[0]}.")
    lab = lab_of(slug)
    try:
        submission = receive(paths[0], lab.assignment)
    except Rejected as refusal:
        click.echo("These files cannot be graded yet:")
        click.echo("\n".join(f"  - {reason}" for reason in refusal.reasons))
        ctx.exit(1)
    click.echo(f"Checking {', '.join(file.path for file in submission.files)}")
    for notice in submission.notices:
        click.echo(f"Note: {notice}")
    results = run_public_tests(lab, submission)
    for result in results:
        click.echo(_verdict_lines(result))
    passed = sum(result.outcome is Outcome.PASSED for result in results)
    click.echo(f"{passed} of {len(results)} public tests passed.")
    ctx.exit(0 if passed == len(results) else 1)


def split_arguments(arguments: tuple[str, ...], slug: str | None) -> tuple[str, list[Path]]:
    """Return slug and paths: without --assignment the first argument is the slug."""
    if slug is None:
        slug, *arguments_left = arguments
        return slug, [Path(path) for path in arguments_left]
    return slug, [Path(path) for path in arguments]


def _verdict_lines(result: PublicResult) -> str:
    words = {Outcome.PASSED: "passed", Outcome.MISSING: "did not run"}
    line = f"{smiley(result.outcome)} {result.title} - {words.get(result.outcome, result.outcome)}"
    message = "" if result.outcome is Outcome.PASSED else result.message
    return "\n".join([line, *(f"     {row}" for row in message.splitlines())])
