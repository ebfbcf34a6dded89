"""``grader draw``: a term's data of a competition."""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from grader.authoring.draw import draw
from grader.cli.home import lab_of, rules_of
from grader.competition.drawn import STAFF, STUDENTS, files_of
from grader.errors import ProctorError
from grader.grading.keys import grading_key
from grader.report.export import write_atomically


@click.command("draw")
@click.argument("slug")
@click.option(
    "--secret-file",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The term's secret: 32 or more hexadecimal digits.",
)
@click.option(
    "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder."
)
@click.option(
    "--set",
    "number",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="1 is the term's; each other one is a fresh test, for staff.",
)
@click.option("--variant", help="The variant; else the default one.")
def draw_command(slug: str, secret_file: Path, out: Path, number: int, variant: str | None) -> None:
    """Draw a term's data of competition SLUG.

    OUT/students is for students: arrays to train on, arrays to predict from, a sample of the file
    to hand in. OUT/staff has the labels, and stays here. The same secret gives the same bytes.
    """
    lab = lab_of(slug)
    rules = rules_of(lab)
    if variant is not None and variant not in lab.assignment.variants:
        known = ", ".join(lab.assignment.variants) or "none"
        raise ProctorError(f"{slug} has no variant {variant!r}; known: {known}")
    files = files_of(draw(lab, grading_key(secret_file), number, variant), rules)
    there = [path for path in files if _differs(out / path, files[path])]
    if there:
        raise ProctorError(f"{out} holds another set ({there[0]} differs); name a new folder")
    (out / STAFF).mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, content in files.items():
        write_atomically(out / path, content)
        click.echo(f"{hashlib.sha256(content).hexdigest()}  {out / path}")
    if number == 1:
        click.echo(f"For students: {out / STUDENTS}. Keep {out / STAFF} to yourselves.")
    else:
        click.echo(f"A fresh test for staff: {out / STAFF}.")


def _differs(file: Path, content: bytes) -> bool:
    return file.exists() and file.read_bytes() != content
