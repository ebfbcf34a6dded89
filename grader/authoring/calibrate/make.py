"""Make a calibration from its runs, and judge a lab's bars by one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from grader.authoring.calibrate.assess import Assessment, assess, upright
from grader.authoring.calibrate.calibration import (
    BASELINES,
    Calibration,
    Sample,
    VariantRuns,
    Wrong,
    load_calibration,
    measuring_digest,
    rounded,
)
from grader.authoring.calibrate.collect import (
    CalibrationBench,
    CalibrationPlan,
    OnRun,
    collect,
    own_tests,
    run_count,
    variants_of,
    wrong_solutions,
)
from grader.authoring.calibrate.log import REFERENCE, LoggedRun, open_log
from grader.authoring.variants import own_digest
from grader.errors import AuthoringError
from grader.grading import GradingPool, suite_digest
from grader.lab.bars import BARS_NAME, EVERY, Bar, Bars, load_bars
from grader.lab.catalogue import Lab
from grader.report.report import Outcome


@dataclass(frozen=True)
class BestWrong:
    """The best of the wrong solutions that a bar holds back."""

    name: str
    value: float
    gap: float  # how far it falls short, in sd of the reference


@dataclass(frozen=True)
class JudgedBar:
    """One bar of one variant, judged."""

    variant: str | None
    bar: str
    assessment: Assessment
    best: BestWrong | None  # None if it holds none back
    passing: tuple[str, ...]  # baselines that reach it: weak in no way that it can see


def bars_of(lab: Lab) -> Bars:
    """Return a lab's bars; ManifestError if their file is wrong."""
    return load_bars(lab.reference / BARS_NAME, lab.assignment) if lab.reference else {}


def make_calibration(
    lab: Lab,
    plan: CalibrationPlan,
    *,
    today: date,
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: OnRun = lambda run, now: None,
) -> Calibration:
    """Make every run that is missing and describe them all.

    `on_start` hears how many runs there are, once the first of each variant tells. Variants that
    the plan leaves out are kept from the lab's calibration if it is not stale. Raises
    GradingError for a fault of ours.
    """
    with GradingPool(jobs=plan.jobs) as pool:
        bench = CalibrationBench(lab, pool, open_log(lab), on_run)
        firsts = [bench.whole(variant) for variant in plan.variants]
        if not any(first.measured for first in firsts):
            raise AuthoringError([f"no test of {lab.assignment.slug} records a figure"])
        base = bench.whole(lab.assignment.default_variant)  # in the log already, if planned too
        work = [(first, own_tests(first, base)) for first in firsts]
        on_start(run_count(bench, plan, work))
        runs = collect(bench, plan, work)
        made = [_described(bench, plan, first, tests, runs) for first, tests in work]
    environment = firsts[0].environment
    assert environment is not None  # noqa: S101 - a whole run has it
    kept = _kept(lab, plan.variants)
    tests = {test for found in (*made, *kept) for test in found.tests}
    order = variants_of(lab)
    return Calibration(
        lab=lab.assignment.slug,
        made_on=today,
        digest=measuring_digest(lab, tests),
        suite_digest=suite_digest(lab),
        environment=environment,
        variants=tuple(sorted([*made, *kept], key=lambda found: order.index(found.variant))),
    )


def _kept(lab: Lab, again: Iterable[str | None]) -> list[VariantRuns]:
    old = load_calibration(lab)
    if old is None or not old.fresh(lab):
        return []
    known = variants_of(lab)
    return [
        runs
        for runs in old.variants
        if runs.variant in known
        and runs.variant not in set(again)
        and runs.own == own_digest(lab, runs.variant)
    ]


def _described(
    bench: CalibrationBench,
    plan: CalibrationPlan,
    first: LoggedRun,
    tests: tuple[str, ...],
    runs: list[LoggedRun],
) -> VariantRuns:
    own = [run.of_tests(tests) for run in runs if run.variant == first.variant]
    reference = sorted((r for r in own if r.solution == REFERENCE), key=lambda run: run.number)
    wrong = wrong_solutions(bench, first.variant, tests, plan.baselines)
    titles = {solution.name: solution.title for solution in wrong}
    bars = bars_of(bench.lab)
    seconds = [run.cpu_seconds for run in reference[1:]] or [0.0]  # the first one was whole
    values: dict[str, list[float]] = {}
    for run in reference:
        for name, value in figures_of(run, bars).items():
            values.setdefault(name, []).append(value)
    return VariantRuns(
        variant=first.variant,
        runs=len(reference),
        tests=tests,
        own=first.own,
        rest_as=bench.lab.assignment.default_variant if tests != tuple(first.measured) else None,
        cpu_seconds_mean=rounded(sum(seconds) / len(seconds)),
        cpu_seconds_max=rounded(max(seconds)),
        figures={name: Sample.of(found, bars.get(name)) for name, found in values.items()},
        wrong=tuple(
            Wrong(
                name=run.solution,
                title=titles[run.solution],
                figures={n: rounded(v) for n, v in figures_of(run, bars).items()},
                lost=tuple(t for t, o in run.outcomes.items() if o is not Outcome.PASSED),
            )
            for run in own
            if run.solution in titles
        ),
    )


def figures_of(run: LoggedRun, bars: Bars) -> dict[str, float]:
    """Return the figures of a run by name.

    Of a bar that several tests ask, the worst value; of other figures of one name, each apart.
    """
    times = Counter(name for figures in run.measured.values() for name in figures)
    found: dict[str, float] = {}
    for test, figures in run.measured.items():
        for name, value in figures.items():
            bar = bars.get(name)
            if bar is None:
                found[name if times[name] == 1 else f"{test}: {name}"] = value
            elif name not in found or bar.ahead(found[name], value):
                found[name] = value
    return found


def judge_bars(lab: Lab, calibration: Calibration) -> list[JudgedBar]:
    """Judge every bar, as it is now, in every variant that measured it or has a level of its own.

    Where a variant has neither, the default variant's row holds for it.
    """
    bars = bars_of(lab)
    return [
        JudgedBar(
            runs.variant,
            name,
            assess(bar, runs.variant, sample.values, count),
            _best(bar, runs, name, sample.sd),
            tuple(
                wrong.name
                for wrong in runs.wrong
                if wrong.name.startswith(f"{BASELINES}/")
                and name in wrong.figures
                and not bar.ahead(bar.full_for(runs.variant), wrong.figures[name])
            ),
        )
        for runs in calibration.variants
        for name, bar in bars.items()
        if name in runs.figures or (EVERY not in bar.full and (runs.variant or EVERY) in bar.full)
        for sample, count in [found for found in [calibration.sample(runs.variant, name)] if found]
    ]


def _best(bar: Bar, runs: VariantRuns, name: str, sd: float) -> BestWrong | None:
    """Return the best of those held back; a mutant that is not lost its test to something else."""
    full = bar.full_for(runs.variant)
    found = [
        (upright(bar, wrong.figures[name]), wrong)
        for wrong in runs.wrong
        if name in wrong.figures and bar.ahead(full, wrong.figures[name])
    ]
    if not found:
        return None
    position, wrong = max(found, key=lambda pair: pair[0])
    short = upright(bar, full) - position
    return BestWrong(wrong.name, wrong.figures[name], short / sd if sd else math.inf)


def unproven_bars(lab: Lab) -> list[str]:
    """Say which of a lab's bars its calibration does not prove, one sentence each.

    Raises ManifestError if the file of bars or the calibration cannot be read.
    """
    return list(_unproven(lab))


def _unproven(lab: Lab) -> Iterator[str]:
    bars, slug = bars_of(lab), lab.assignment.slug
    calibration = load_calibration(lab)
    if not bars:
        return
    if calibration is None:
        yield f"{len(bars)} bars and no calibration; run: grader calibrate {slug}"
        return
    if not calibration.fresh(lab):
        yield f"what the bars measure has changed since; run: grader calibrate {slug}"
        return
    for runs in calibration.variants:
        if runs.own != own_digest(lab, runs.variant):
            yield (
                f"the reference of the variant {runs.variant} has changed since; "
                f"run: grader calibrate {slug} --variant {runs.variant}"
            )
    missing = [variant for variant in variants_of(lab) if calibration.of(variant) is None]
    for variant in missing:
        yield f"the variant {variant} is not calibrated; run: grader calibrate {slug}"
    rows = judge_bars(lab, calibration)
    if not missing:
        for name in bars.keys() - {row.bar for row in rows}:
            yield f"{name}: no test asked for it; remove it from {BARS_NAME}, or ask for it"
    for row in rows:
        if row.assessment.objection:
            where = f" ({row.variant})" if row.variant else ""
            yield f"{row.bar}{where}: {row.assessment.objection}"
