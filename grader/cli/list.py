"""``grader list``: the labs of this home."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from grader.cli.home import catalogue
from grader.lab.data import lacking
from grader.report.explain import points


@click.command("list")
@click.pass_context
def list_labs(ctx: click.Context) -> None:
    """List the labs, broken manifests and missing data."""
    home = catalogue()
    table = Table(box=None, pad_edge=False)
    for heading in ("LAB", "POINTS", "SUITE", "TITLE"):
        table.add_column(heading, justify="right" if heading == "POINTS" else "left")
    labs = home.labs()
    for lab in labs:
        suite = "yes" if lab.suite and lab.suite.is_dir() else "no"
        about = lab.assignment
        table.add_row(about.slug, points(float(about.max_score)), suite, about.title)
    if labs:
        Console().print(table)
    for note in filter(None, (lacking(lab.assignment) for lab in labs if lab.suite)):
        click.echo(f"Note: {note}")
    problems = home.problems()
    for problem in problems:
        click.echo(f"Error: {problem}", err=True)
    if not labs and not problems:
        click.echo(f"No labs below {home.root}; set GRADER_HOME to the course's folder.", err=True)
    ctx.exit(1 if problems or not labs else 0)
