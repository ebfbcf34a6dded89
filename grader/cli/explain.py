"""``grader explain``: how a score of a results file came about."""

from __future__ import annotations

from pathlib import Path

import click

from grader.errors import ProctorError
from grader.report.causes import LANGUAGES, Language
from grader.report.explain import explain as explain_report
from grader.report.explain import render_text
from grader.report.export import from_json
from grader.report.redaction import for_student
from grader.report.report import Report


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("name", required=False)
@click.option("--test", metavar="WORD", help="Only tests with this in their id or title.")
@click.option("--as-student", is_flag=True, help="Only what the student may see.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    help="In which to tell the causes of lost tests; English by default.",
)
def explain(
    file: Path, name: str | None, test: str | None, as_student: bool, language: Language
) -> None:
    """Explain how scores came about.

    FILE was written by run --json; NAME is one submission in it, else all are explained.
    """
    chosen = _chosen(from_json(file.read_text(encoding="utf-8")), name)
    explained = [
        explain_report(
            for_student(report, due_passed=False, published=False) if as_student else report,
            test=test,
            language=language,
        )
        for report in chosen
    ]
    click.echo("\n".join(render_text(explanation) for explanation in explained), nl=False)


def _chosen(reports: list[Report], name: str | None) -> list[Report]:
    if name is None:
        return reports
    found = [report for report in reports if name in (report.submission, report.digest)]
    found = found or [report for report in reports if report.submission.startswith(name)]
    if not found:
        names = ", ".join(report.submission for report in reports[:20])
        raise ProctorError(f"No submission is called {name!r}; the file holds {names}.")
    return found
