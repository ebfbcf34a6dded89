"""``grader new``: begin a lab."""

from __future__ import annotations

import click

from grader.authoring.new import Kind, new_lab
from grader.lab.catalogue import find_home


@click.command()
@click.argument("slug")
@click.option("--title", default="", help="The lab's title; else one made from SLUG.")
@click.option("--title-zh", default="", help="The title in Chinese; else the other one.")
@click.option("--competition", is_flag=True, help="Begin a competition, scored by rank.")
def new(slug: str, title: str, title_zh: str, competition: bool) -> None:
    """Begin a lab or a competition called SLUG.

    Makes assignments/SLUG and reference/SLUG as a small lab that works: manifest, handouts,
    skeleton, notebook, public tests, solution, hidden suite and mutants. Change it step by step
    into yours. SLUG is also the name of the students' package: lower-case letters, digits, '_'.

    With --competition there are, in place of suite and mutants, code that draws a term's data and
    a starter.
    """
    home = find_home()
    kind = Kind.COMPETITION if competition else Kind.LAB
    for path in new_lab(home, slug, title=title, title_zh=title_zh, kind=kind):
        click.echo(f"Wrote {path}")
    click.echo(
        f"The {kind} {slug} is complete in {home}. Prove it, change it, release it again:\n"
        f"  grader validate {slug}\n"
        f"  grader release {slug}"
    )
