"""``grader doctor``: what this machine can do, and how to mend what it cannot."""

from __future__ import annotations

import shutil
import textwrap

import click

from grader.cli.home import catalogue
from grader.errors import ProctorError
from grader.lab.data import lacking
from grader.sandbox import doctor as look
from grader.sandbox.doctor import DoctorReport


@click.command()
@click.pass_context
def doctor(ctx: click.Context) -> None:
    """Tell which sandbox this machine gives and what is missing.

    Tiers run from 1, the strongest, to 4, which is no sandbox. Exits with 1 if scores made here
    must not be used as grades.
    """
    found = look()
    width = max(len(line.name) for line in found.lines)
    for line in found.lines:
        click.echo(_wrapped(f"{':)' if line.ok else ':('} {line.name:<{width}}  ", line.found))
        if line.mend and not line.ok:
            click.echo(f"   {'':<{width}}  -> {line.mend}")  # to copy: in one line
    for note in _data():
        click.echo(_wrapped(f":( {'Data':<{width}}  ", note))
    click.echo()
    for sentence in _verdict(found):
        click.echo(sentence)
    ctx.exit(0 if found.fit_for_grades else 1)


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        width=max(60, shutil.get_terminal_size().columns),
        initial_indent=label,
        subsequent_indent=" " * len(label),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _data() -> list[str]:
    """Say which labs cannot run here for want of data; nothing where there are no labs."""
    try:
        labs = catalogue().labs()
    except ProctorError:
        return []
    return [note for lab in labs if lab.suite and (note := lacking(lab.assignment))]


def _verdict(found: DoctorReport) -> list[str]:
    here = f"This machine gives sandbox tier {found.tier} of 4 ({found.tier_name})."
    if not found.fit_for_grades:
        verdict = [here, "Do not use scores made here as grades: student code could change them."]
    elif found.tier == 1:
        verdict = [here, "That is the strongest. Nothing to do: grade away."]
    else:
        verdict = [here, "Scores made here may be used as grades; tier 1 is stronger still."]
    if found.better:
        verdict += ["", "For a stronger tier, then run this command again:"]
    return [*verdict, *(f"  - {mend}" for mend in found.better)]
