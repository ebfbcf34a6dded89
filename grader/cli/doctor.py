"""``grader doctor``: what this machine can do, and how to mend what it cannot."""

from __future__ import annotations

import click

from grader.sandbox import doctor as look


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Tell which sandbox this machine gives and what is missing."""
    found = look()
    for line in found.lines:
        click.echo(f"{':)' if line.ok else ':('} {line.name}: {line.found}")
        if line.mend and not line.ok:
            click.echo(f"     {line.mend}")
    click.echo(f"Sandbox tier {found.tier} of 4: {found.tier_name}.")
    if not found.fit_for_grades:
        click.echo("Scores made here are not for grades.")
    ctx.exit(0 if found.fit_for_grades else 1)
