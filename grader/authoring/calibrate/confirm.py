"""Confirm a calibration after a change that should move no figure, by a few runs instead of all.

What was calibrated, and the lab as it is now, are run side by side on this machine: under the keys
of the calibration, and on the hidden inputs of what was calibrated, which else hang on a
submission's every byte. If every figure is the same to the digits that are kept, so is what the
bars stand on, and the calibration is renewed. One that differs makes a new calibration due. A test
that is gone takes with it what it alone measured.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

from grader.authoring.calibrate.calibration import (
    Calibration,
    Confirmation,
    VariantRuns,
    Wrong,
    rounded,
)
from grader.authoring.calibrate.collect import run_key
from grader.authoring.calibrate.seen import may_measure, measuring_digest
from grader.authoring.solutions import reference_submission
from grader.authoring.variants import own_digest
from grader.errors import AuthoringError, GradingError
from grader.grading import GradingPool, PartialRun, suite_digest
from grader.lab.catalogue import Lab
from grader.report.report import Outcome

Kept = TypeVar("Kept")
Measurement = dict[str, tuple[Outcome, dict[str, float]]]  # outcome and figures, by the test's id


@dataclass(frozen=True)
class Comparison:
    """One run of what was calibrated beside one of the lab as it is now."""

    variant: str | None
    number: int  # of the key
    differences: tuple[str, ...]  # a sentence each
    cpu_seconds: float  # of both
    gone: frozenset[str] = frozenset()  # tests that were calibrated and that the lab has no more
    dropped: frozenset[str] = frozenset()  # figures that these alone measured


def compare_runs(
    lab: Lab,
    before: Lab,
    calibration: Calibration,
    runs: int,
    *,
    jobs: int = 1,
    on_comparison: Callable[[Comparison], None] = lambda comparison: None,
) -> list[Comparison]:
    """Run every variant's measuring tests under its first keys, as it was and as it is.

    Raises AuthoringError if `before` is not what was calibrated or if none of its tests is left,
    GradingError for a fault of ours.
    """
    slug = lab.assignment.slug
    if not calibration.fresh(before) or any(
        found.own != own_digest(before, found.variant) for found in calibration.variants
    ):
        raise AuthoringError(
            [
                f"{slug}: what is compared with is not what was calibrated; name the revision that "
                "was by --against"
            ]
        )
    if any(len(_gone(lab, found)) == len(found.tests) for found in calibration.variants):
        raise AuthoringError([f"{slug}: no test that was calibrated is left; calibrate anew"])
    with GradingPool(jobs=jobs) as pool, ThreadPoolExecutor(jobs) as threads:
        pending = [
            threads.submit(partial(_compare, pool, lab, before, found, number))
            for found in calibration.variants
            for number in range(min(runs, found.runs))
        ]
        try:
            for future in as_completed(pending):
                on_comparison(future.result())
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in pending]


def confirmed(
    lab: Lab, calibration: Calibration, comparisons: list[Comparison], *, today: date
) -> Calibration:
    """Return the calibration as one of the lab as it is now; ValueError if a figure differs."""
    if not comparisons or any(found.differences for found in comparisons):
        raise ValueError("only what has been compared and does not differ can be confirmed")
    variants = tuple(
        found.model_copy(
            update={
                "own": own_digest(lab, found.variant),
                "tests": tuple(test for test in found.tests if test not in _gone(lab, found)),
                "figures": _without(found.figures, _dropped(comparisons, found)),
                "wrong": tuple(_left(wrong, comparisons, found) for wrong in found.wrong),
            }
        )
        for found in calibration.variants
    )
    tests = {test for found in variants for test in found.tests}
    made = Confirmation(on=today, comparisons=len(comparisons), digest_before=calibration.digest)
    return calibration.model_copy(
        update={
            "digest": measuring_digest(lab, tests),
            "suite_digest": suite_digest(lab),
            "variants": variants,
            "confirmations": (*calibration.confirmations, made),
        }
    )


def _gone(lab: Lab, calibrated: VariantRuns) -> frozenset[str]:
    """Return the calibrated tests whose function measures nothing any more, or is gone."""
    there = may_measure(lab)
    return frozenset(test for test in calibrated.tests if test.partition("[")[0] not in there)


def _dropped(comparisons: list[Comparison], calibrated: VariantRuns) -> frozenset[str]:
    found = (one.dropped for one in comparisons if one.variant == calibrated.variant)
    return frozenset().union(*found)


def _left(wrong: Wrong, comparisons: list[Comparison], calibrated: VariantRuns) -> Wrong:
    """Return a wrong solution without the tests that are gone and what they alone measured."""
    gone = frozenset().union(*(one.gone for one in comparisons))
    figures = _without(wrong.figures, _dropped(comparisons, calibrated))
    lost = tuple(test for test in wrong.lost if test not in gone)
    return wrong.model_copy(update={"figures": figures, "lost": lost})


def _without(figures: Mapping[str, Kept], names: frozenset[str]) -> dict[str, Kept]:
    return {name: value for name, value in figures.items() if name not in names}


def _compare(
    pool: GradingPool, lab: Lab, before: Lab, calibrated: VariantRuns, number: int
) -> Comparison:
    inputs_of = reference_submission(before, calibrated.variant).digest
    gone = _gone(lab, calibrated)
    left = calibrated.model_copy(
        update={"tests": tuple(test for test in calibrated.tests if test not in gone)}
    )
    old = _measure(pool, before, calibrated, number, inputs_of=inputs_of)
    new = _measure(pool, lab, left, number, inputs_of=inputs_of)
    by_gone = {name for test in gone for name in old.measured[test]}
    by_left = {name for test in left.tests for name in old.measured[test]}
    return Comparison(
        variant=calibrated.variant,
        number=number,
        differences=tuple(
            [
                *_differences(_kept(old), _kept(new)),
                *(f"{name} was measured by a test that is gone, too" for name in by_gone & by_left),
            ]
        ),
        cpu_seconds=old.cpu_seconds + new.cpu_seconds,
        gone=gone,
        dropped=frozenset(by_gone - by_left),
    )


def _measure(
    pool: GradingPool, lab: Lab, calibrated: VariantRuns, number: int, *, inputs_of: str
) -> PartialRun:
    try:
        return pool.run_tests(
            lab,
            reference_submission(lab, calibrated.variant),
            calibrated.tests,
            key=run_key(number),
            variant=calibrated.variant,
            inputs_of=inputs_of,
        )
    except GradingError as error:
        raise GradingError(f"the reference could not be run: {error}") from error


def _kept(run: PartialRun) -> Measurement:
    """Return what tests came to and measured, with as many digits as a calibration keeps."""
    return {
        test: (outcome, {n: rounded(v) for n, v in run.measured[test].items()})
        for test, outcome in run.outcomes.items()
    }


def _differences(old: Measurement, new: Measurement) -> Iterator[str]:
    for test, (other_outcome, others) in new.items():
        outcome, figures = old[test]
        if outcome is not other_outcome:
            yield f"{test}: {outcome}, now {other_outcome}"
        for name in figures | others:
            was, now = (measured.get(name, "absent") for measured in (figures, others))
            if was != now:
                yield f"{test}: {name} was {was}, now {now}"
