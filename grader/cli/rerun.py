"""``grader rerun``: the entries of a competition from source, on rows that nobody has seen."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.cli.home import lab_of, rules_of
from grader.lab.given import REFERENCE
from grader.report.export import for_spreadsheets, write_atomically
from grader.report.export.csv_table import safe_cell
from grader.rerun import Rerun, SourceRunner, Verdict, read_entries, read_sets, rerun
from grader.sandbox import Tier
from grader.text import clean, clean_line

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_COLUMNS = ("team", "verdict", "claim", "rerun", "sds", "tries", "cpu_s", "detail")


@click.command("rerun")
@click.argument("slug")
@click.argument("folder", type=_FOLDER)
@click.option(
    "--drawn", required=True, type=_FOLDER, help="The term's set, as grader draw left it."
)
@click.option("--fresh", required=True, type=_FOLDER, help="A set that nobody has seen.")
@click.option("--minimum-tier", type=click.IntRange(1, 4), help="Run only with this sandbox.")
@click.option(
    "--csv", "csv_file", type=click.Path(dir_okay=False, path_type=Path), help="Write it here too."
)
@click.pass_context
def rerun_command(
    ctx: click.Context,
    slug: str,
    folder: Path,
    drawn: Path,
    fresh: Path,
    minimum_tier: int | None,
    csv_file: Path | None,
) -> None:
    """Run entries again from source, on fresh rows.

    FOLDER holds team.csv, the predictions that count, and team.zip, the source that makes them.
    Each source runs in a sandbox without network: it learns from the term's rows and predicts
    those of the fresh set. A score more than 3 standard deviations below the claim, with each of
    three seeds, is told.

    Exits with 1 if an entry is below its claim, fails or is refused, with 2 if the fault was ours.
    """
    lab = lab_of(slug)
    rules = rules_of(lab)
    sets = read_sets(drawn, fresh, rules)
    found = read_entries(folder, lab.assignment, rules, sets.term.labels.ids)
    results = [Rerun(team, Verdict.REFUSED, detail=why) for team, why in found.refused.items()]
    ours = [folder, drawn, fresh, lab.public.parents[1] / REFERENCE]
    minimum = None if minimum_tier is None else Tier(minimum_tier)
    with SourceRunner(lab.assignment, rules, minimum_tier=minimum, conceal=ours) as runner:
        for number, entry in enumerate(found.entries, start=1):
            name = f"[{number}/{len(found.entries)}] {clean_line(entry.team, 100)}"
            click.echo(f"{name} ...", err=True)
            results.append(rerun(runner, rules.metric, entry, sets.term, sets.fresh))
            click.echo(f"{name}: {results[-1].verdict.value}", err=True)
            if csv_file is not None:  # after each: an interruption costs one entry, not hours
                write_atomically(csv_file, for_spreadsheets(_csv(results)))
        _show(results, runner.tier)
    if csv_file is not None:
        write_atomically(csv_file, for_spreadsheets(_csv(results)))
    verdicts = {result.verdict for result in results}
    ctx.exit(2 if Verdict.FAULT in verdicts else 0 if verdicts <= {Verdict.HOLDS} else 1)


def _show(results: list[Rerun], tier: Tier) -> None:
    table = Table("Team", "Claim", "Re-run", "Below by", "CPU min", "Verdict")
    for one in results:
        scores = ["", "", ""]
        if one.comparison:
            scores = [f"{one.comparison.claim:.4f}", f"{one.comparison.again:.4f}"]
            scores.append(f"{one.comparison.sds:+.1f} sd")
        minutes = f"{one.cpu_seconds / 60:.1f}"
        table.add_row(Text(clean_line(one.team, 100)), *scores, minutes, one.verdict.value)
    console = Console()
    console.print(table)
    for one in results:
        if one.detail:
            console.print(Text(f"{clean_line(one.team, 100)}: {clean(one.detail, 2_000)}"))
    if any(one.verdict is Verdict.BELOW for one in results):
        console.print("Before you act on it, draw another set and run those entries on it too.")
    if tier is Tier.PROCESS:
        console.print("This machine gave no sandbox: do not use what is said here.")


def _csv(results: list[Rerun]) -> str:
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(_COLUMNS)
    for one in results:
        scores: list[str] = ["", "", ""]
        if one.comparison:
            found = one.comparison
            scores = [f"{found.claim:.6f}", f"{found.again:.6f}", f"{found.sds:.2f}"]
        spent = [one.tries, f"{one.cpu_seconds:.1f}", safe_cell(clean_line(one.detail))]
        table.writerow([safe_cell(one.team), one.verdict.value, *scores, *spent])
    return out.getvalue()
