"""``grader rank``: the end of a competition, from a folder of predictions."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli.home import catalogue, rules_of
from grader.competition import Labels, Standing, points_of, rank, read_labels, read_predictions
from grader.errors import ProctorError, TableError
from grader.lab.catalogue import Lab
from grader.lab.competition import CompetitionRules
from grader.report.export import for_spreadsheets, write_atomically
from grader.report.export.csv_table import safe_cell
from grader.text import clean_line

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("rank")
@click.argument("slug")
@click.argument("folder", type=_FOLDER)
@click.option("--labels", type=_FILE, help="The labels; else those in reference/SLUG.")
@click.option("--csv", "csv_file", type=_FILE, help="Write team, score, rank and points here.")
@click.pass_context
def rank_command(
    ctx: click.Context, slug: str, folder: Path, labels: Path | None, csv_file: Path | None
) -> None:
    """Rank the predictions of a competition.

    They are held against the labels of competition SLUG. Each file in FOLDER is one team's and
    bears its name, as in FOLDER/team.csv. A rank counts only teams that are better beyond luck;
    points are by the rule in the manifest. Exits with 1 if a file was refused: it gets no rank,
    and every mistake in it is named.
    """
    lab = catalogue().get(slug)
    rules = rules_of(lab)
    known = read_labels(labels, rules) if labels else _labels(lab, rules)
    entries, refused = {}, {}
    for file in sorted(folder.glob("*.csv")):
        try:
            entries[file.stem] = read_predictions(file.read_bytes(), rules, known.ids)
        except TableError as error:
            refused[file.name] = str(error)
    if not entries and not refused:
        raise ProctorError(f"{folder} holds no CSV file; put one there for each team")
    standings = rank(rules.metric, entries, known.values)
    rows = [(one, points_of(rules, one.score, one.rank, len(standings))) for one in standings]
    console = Console()
    console.print(_table(rows))
    for name, said in refused.items():
        console.print(Text(f"{clean_line(name, 100)} was refused: {said}"))
    if csv_file is not None:
        write_atomically(csv_file, for_spreadsheets(_csv(rows)))
    ctx.exit(1 if refused else 0)


def _labels(lab: Lab, rules: CompetitionRules) -> Labels:
    if lab.reference is None:
        raise ProctorError(f"the labels of {lab.assignment.slug} are not on this machine")
    return read_labels(lab.reference / rules.labels, rules)


def _table(rows: list[tuple[Standing, Decimal]]) -> Table:
    table = Table("Rank", "Team", "Score", "Points")
    for one, points in rows:
        place = f"{one.rank}{' (tied)' if one.tied else ''}"
        table.add_row(place, Text(clean_line(one.team, 100)), f"{one.score:.4f}", f"{points}")
    return table


def _csv(rows: list[tuple[Standing, Decimal]]) -> str:
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(["rank", "team", "score", "tied", "points"])
    for one, points in rows:
        tied = "yes" if one.tied else "no"
        table.writerow([one.rank, safe_cell(one.team), f"{one.score:.6f}", tied, points])
    return out.getvalue()
