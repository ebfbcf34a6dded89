"""Make a calibration: run what is missing, and describe each variant's runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from grader.authoring.calibrate.calibration import (
    Calibration,
    Sample,
    VariantRuns,
    Wrong,
    load_calibration,
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
from grader.authoring.calibrate.judge import bars_of
from grader.authoring.calibrate.log import REFERENCE, LoggedRun, open_log
from grader.authoring.calibrate.seen import measuring_digest
from grader.authoring.variants import own_digest
from grader.errors import AuthoringError
from grader.grading import GradingPool, suite_digest
from grader.lab.bars import Bars
from grader.lab.catalogue import Lab
from grader.report.report import Outcome


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
        default = lab.assignment.default_variant
        beside = default not in plan.variants
        base = bench.whole(default) if beside else firsts[plan.variants.index(default)]
        work = [(first, own_tests(first, base)) for first in firsts]
        on_start(run_count(bench, plan, work) + beside)
        runs = collect(bench, plan, work)
        made = [described(bench, plan, first, tests, runs) for first, tests in work]
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


def described(
    bench: CalibrationBench,
    plan: CalibrationPlan,
    first: LoggedRun,
    tests: tuple[str, ...],
    runs: list[LoggedRun],
) -> VariantRuns:
    """Describe the runs of a variant, of which `first` ran the whole suite and the others tests."""
    own = [run.of_tests(tests) for run in runs if run.variant == first.variant]
    reference = sorted((r for r in own if r.solution == REFERENCE), key=lambda run: run.number)
    wrong = wrong_solutions(bench, first.variant, tests, plan.baselines)
    titles = {solution.name: solution.title for solution in wrong}
    bars = bars_of(bench.lab)
    seconds = [run.cpu_seconds for run in reference[1:]] or [0.0]  # the first one was whole
    return VariantRuns(
        variant=first.variant,
        runs=len(reference),
        tests=tests,
        own=own_digest(bench.lab, first.variant),
        rest_as=bench.lab.assignment.default_variant if tests != tuple(first.measured) else None,
        cpu_seconds_mean=rounded(sum(seconds) / len(seconds)),
        cpu_seconds_max=rounded(max(seconds)),
        figures=_samples(reference, bars),
        wrong=tuple(
            _wrong(run, titles[run.solution], bars) for run in own if run.solution in titles
        ),
    )


def _samples(runs: Sequence[LoggedRun], bars: Bars) -> dict[str, Sample]:
    """Return by name what the runs of the reference measured."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for name, value in figures_of(run, bars).items():
            values.setdefault(name, []).append(value)
    return {name: Sample.of(found, bars.get(name)) for name, found in values.items()}


def _wrong(run: LoggedRun, title: str, bars: Bars) -> Wrong:
    """Describe the run of a wrong solution."""
    return Wrong(
        name=run.solution,
        title=title,
        figures={name: rounded(value) for name, value in figures_of(run, bars).items()},
        lost=tuple(test for test, o in run.outcomes.items() if o is not Outcome.PASSED),
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
