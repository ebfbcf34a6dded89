"""``grader new``: begin a lab."""

from __future__ import annotations

import click

from grader.authoring.new import new_lab
from grader.lab.catalogue import find_home


@click.command()
@click.argument("slug")
@click.option("--title", default="", help="The lab's title; else one made from SLUG.")
@click.option("--title-zh", default="", help="The title in Chinese; else the other one.")
def new(slug: str, title: str, title_zh: str) -> None:
    """Begin a lab called SLUG.

    Makes assignments/SLUG and reference/SLUG as a small lab that works: manifest, handouts,
    skeleton, notebook, public tests, solution, hidden suite and mutants. Change it step by step
    into yours. SLUG is also the name of the students' package: lower-case letters, digits, '_'.
    """
    home = find_home()
    for path in new_lab(home, slug, title=title, title_zh=title_zh):
        click.echo(f"Wrote {path}")
    click.echo(
        f"The lab {slug} is complete in {home}. Prove it, change it, release it again:\n"
        f"  grader validate {slug}\n"
        f"  grader release {slug}"
    )
