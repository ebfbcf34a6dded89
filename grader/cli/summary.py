"""The table at the end of a batch, readable without colour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from grader.grading import ResultCache
from grader.report.explain import findings_to_look_at, points
from grader.report.redaction import NOT_FOR_GRADES
from grader.report.report import Outcome, Report, RunStatus
from grader.text import clean, clean_line


def print_summary(reports: Sequence[Report], console: Console | None = None) -> None:
    """Print one row a submission, then the reasons behind each row without a score."""
    table = Table(box=None, pad_edge=False)
    table.add_column("SUBMISSION", overflow="fold", ratio=2)
    table.add_column("STATUS", no_wrap=True)
    table.add_column("SCORE", justify="right", no_wrap=True)
    table.add_column("CPU S", justify="right", no_wrap=True)
    table.add_column("TESTS", overflow="fold", ratio=3)
    for report in reports:
        table.add_row(*(Text(cell) for cell in _cells(report)))
    (console or Console()).print(table)
    for line in closing_lines(reports):
        click.echo(line)


def closing_lines(reports: Sequence[Report]) -> list[str]:
    """Return reasons of rows without a score, findings, the counts, and the banner of tier 4."""
    lines = []
    for report in reports:
        if report.status is not RunStatus.GRADED:
            lines.append(f"\n{clean_line(report.submission)}: {report.status.value}")
            fault = [clean(report.fault)] if report.fault else []
            for reason in [*report.messages, *fault]:
                lines.append("  - " + reason.strip().replace("\n", "\n    "))
    for report in reports:
        if report.pending_score:
            name, open_points = clean_line(report.submission), points(report.pending_score)
            lines.append(f"\n{name}: tests worth {open_points} could not be judged:")
            lines += [f"  - {test.id}" for test in report.tests if test.outcome is Outcome.UNJUDGED]
    for report in reports:
        if report.findings:
            name = clean_line(report.submission)
            lines.append(f"\n{name}: {findings_to_look_at(report)}; grader explain lists them.")
    counts = Counter(report.status.value for report in reports)
    lines.append("\n" + ", ".join(f"{count} {status}" for status, count in counts.items()) + ".")
    lines += cache_lines(reports)
    if any(r.environment and r.environment.tier >= NOT_FOR_GRADES for r in reports):
        lines.append(
            "*** NOT FOR GRADES: student code ran without a sandbox (tier 4). "
            "See: grader doctor ***"
        )
    return lines


def cache_lines(reports: Sequence[Report]) -> list[str]:
    """Say how many tests were not run because their results were known; nothing if all ran."""
    tests = [test for report in reports for test in report.tests]
    cached = sum(test.cached for test in tests)
    if not cached:
        return []
    return [f"{cached} of {len(tests)} tests were taken from earlier runs; --no-cache runs all."]


def note_unreadable(cache: ResultCache | None) -> None:
    """Say, on standard error, that kept results were damaged or sealed with another key."""
    if cache is not None and cache.unreadable:
        click.echo(
            f"Note: {cache.unreadable} kept results could not be used and were removed "
            f"({cache.folder}).",
            err=True,
        )


def _cells(report: Report) -> tuple[str, ...]:
    score = "-"
    if report.score is not None:
        score = f"{points(report.score)}/{points(report.max_score)}"
    return (
        clean_line(report.submission, 80),
        report.status.value,
        score,
        f"{report.cpu_seconds:.1f}",
        outcome_counts(report),
    )


def outcome_counts(report: Report) -> str:
    """Return how many tests ended how: ``40 passed, 2 failed``."""
    counts = Counter(test.outcome.value for test in report.tests)
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
