"""Add to a calibration what new tests measure, where no figure of the others has moved.

The new tests run under every key, as they would in a calibration made anew; the figures of the
others stay. So a bar that is added costs its own tests, not those of all bars.
"""

from __future__ import annotations

from collections.abc import Callable

from grader.authoring.calibrate.calibration import (
    Calibration,
    VariantRuns,
    Wrong,
    rounded,
)
from grader.authoring.calibrate.collect import (
    CalibrationBench,
    CalibrationPlan,
    OnRun,
    collect,
    own_tests,
    run_count,
)
from grader.authoring.calibrate.log import LoggedRun, open_log
from grader.authoring.calibrate.make import described
from grader.authoring.calibrate.seen import measuring_digest
from grader.errors import AuthoringError
from grader.grading import GradingPool
from grader.lab.catalogue import Lab


def with_added(
    lab: Lab,
    calibration: Calibration,
    *,
    jobs: int = 1,
    on_start: Callable[[int], None] = lambda runs: None,
    on_run: OnRun = lambda run, now: None,
) -> Calibration:
    """Run the tests that measure something and that a fresh calibration does not know.

    Returns the calibration with their figures, the same if there are none. Raises AuthoringError
    if one of them measures a figure that others measured before: of a bar that several tests ask,
    the worst value counts, which is known of whole runs alone. Raises GradingError for a fault of
    ours.
    """
    with GradingPool(jobs=jobs) as pool:
        bench = CalibrationBench(lab, pool, open_log(lab), on_run)
        base = bench.whole(lab.assignment.default_variant)
        work = [_new_work(bench, base, known) for known in calibration.variants]
        if not any(tests for _, tests in work):
            return calibration
        plan = CalibrationPlan(
            runs=_runs(calibration),
            variants=tuple(known.variant for known in calibration.variants),
            jobs=jobs,
        )
        on_start(run_count(bench, plan, work))
        runs = collect(bench, plan, work)
        made = [described(bench, plan, first, tests, runs) for first, tests in work]
    variants = tuple(
        _joined(known, new) for known, new in zip(calibration.variants, made, strict=True)
    )
    tests = {test for found in variants for test in found.tests}
    return calibration.model_copy(
        update={"variants": variants, "digest": measuring_digest(lab, tests)}
    )


def _runs(calibration: Calibration) -> int:
    counts = {known.runs for known in calibration.variants}
    if len(counts) > 1:
        raise AuthoringError(
            ["variants were calibrated by different numbers of runs; make the calibration anew"]
        )
    return counts.pop()


def _new_work(
    bench: CalibrationBench, base: LoggedRun, known: VariantRuns
) -> tuple[LoggedRun, tuple[str, ...]]:
    """Return the first run of a variant, and which of its own tests are new."""
    first = bench.whole(known.variant)
    own = own_tests(first, base)
    return first, tuple(test for test in own if test not in known.tests)


def _joined(known: VariantRuns, new: VariantRuns) -> VariantRuns:
    """Return the runs of a variant with the figures of both."""
    twice = known.figures.keys() & new.figures.keys()
    if twice:
        raise AuthoringError(
            [
                f"{min(twice)!r} is measured by tests that were calibrated and by new ones; make "
                "the calibration anew"
            ]
        )
    return known.model_copy(
        update={
            "tests": (*known.tests, *new.tests),
            "figures": known.figures | new.figures,
            "wrong": _both(known.wrong, new.wrong),
            "cpu_seconds_mean": rounded(known.cpu_seconds_mean + new.cpu_seconds_mean),
            "cpu_seconds_max": rounded(known.cpu_seconds_max + new.cpu_seconds_max),
        }
    )


def _both(known: tuple[Wrong, ...], new: tuple[Wrong, ...]) -> tuple[Wrong, ...]:
    """Return every wrong solution once, with what it came to in both."""
    found = {wrong.name: wrong for wrong in known}
    for wrong in new:
        before = found.get(wrong.name)
        found[wrong.name] = wrong.model_copy(
            update={
                "figures": (before.figures if before else {}) | wrong.figures,
                "lost": (*(before.lost if before else ()), *wrong.lost),
            }
        )
    return tuple(found.values())
