"""``grader show``: what a lab asks for."""

from __future__ import annotations

from collections.abc import Iterator

import click

from grader.cli.home import lab_of
from grader.lab.bars import BARS_NAME, Bars, load_bars
from grader.lab.competition import CompetitionRules
from grader.lab.manifest import Assignment, Limits, RubricItem
from grader.report.explain import points


@click.command()
@click.argument("slug")
def show(slug: str) -> None:
    """Show a lab: its files, limits and points."""
    lab = lab_of(slug)
    click.echo("\n".join(describe(lab.assignment)))
    if lab.reference:
        bars = load_bars(lab.reference / BARS_NAME, lab.assignment)
        click.echo("\n".join(_bars(bars)), nl=bool(bars))


def describe(assignment: Assignment) -> Iterator[str]:
    """Yield the lines that tell what an assignment asks for."""
    yield f"{assignment.title} ({assignment.slug}), {points(float(assignment.max_score))} points"
    if assignment.summary:
        yield assignment.summary
    yield "\nFiles to hand in"
    for file in assignment.files:
        optional = "" if file.required else " (optional)"
        yield f"  {file.path}{optional}{f' - {file.title}' if file.title else ''}"
    if assignment.given:
        yield "Files given (yours are replaced): " + ", ".join(f.path for f in assignment.given)
    if assignment.competition:
        yield from _competition(assignment.competition, assignment.limits)
    else:
        yield _limits(assignment.limits)
    for part in assignment.parts:
        without = f" (without {', '.join(part.without)})" if part.without else ""
        yield f"\n{part.title}: {points(float(part.points))} points{without}"
        for item in part.items:
            yield f"  {points(float(item.points)):>6}  {item.title}{_rules(item)}"


def _limits(limits: Limits) -> str:
    return (
        f"\nLimits: {limits.cpu_seconds:g} CPU s in all, {limits.test_cpu_seconds:g} s a test, "
        f"{limits.memory_mb} MB memory, {limits.upload_mb:g} MB upload; one upload holds a worker "
        f"for {limits.longest_hold_seconds / 60:.0f} min at most, time "
        "in line for a core not counted"
    )


def _competition(rules: CompetitionRules, limits: Limits) -> Iterator[str]:
    yield (
        f"\nScored by {rules.metric.value} on {', '.join(rules.predicted)}; {rules.public} rows "
        f"are the public board's, which moves by {rules.step:g}"
    )
    yield (
        f"Points: {points(float(rules.most))} for the first rank to {points(float(rules.least))} "
        f"for the last; {points(float(rules.below_baseline))} for what misses the baseline, "
        f"{rules.baseline:g}"
    )
    yield (
        f"Limits of a re-run: {limits.cpu_seconds:g} CPU s, {limits.memory_mb} MB memory; "
        f"{limits.upload_mb:g} MB upload"
    )


def _rules(item: RubricItem) -> str:
    rules = {
        "marked by a person": item.manual,
        "all or nothing": item.all_or_nothing,
        "bonus": item.bonus,
    }
    holding = ", ".join(rule for rule, holds in rules.items() if holds)
    return f" ({holding})" if holding else ""


def _bars(bars: Bars) -> Iterator[str]:
    """Yield what figures must reach; staff alone have the file."""
    if bars:
        yield "\nBars, for staff"
    for name, bar in bars.items():
        levels = ", ".join(
            f"{level:g}" + (f" ({variant})" if variant else "")
            for variant, level in bar.full.items()
        )
        yield f"  {name} {'>=' if bar.better == 'higher' else '<='} {levels}: {bar.title}"
