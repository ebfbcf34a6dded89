"""Confirm a calibration after a change that should move no figure, by a few runs instead of all.

What was calibrated, and the lab as it is now, are run side by side on this machine: under the keys
of the calibration, and on the hidden inputs of what was calibrated, which else hang on a
submission's every byte. If every figure is the same to the digits that are kept, so is what the
bars stand on, and the calibration is renewed. One that differs makes a new calibration due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from functools import partial

from grader.authoring.calibrate.calibration import (
    Calibration,
    Confirmation,
    VariantRuns,
    rounded,
)
from grader.authoring.calibrate.collect import run_key
from grader.authoring.calibrate.seen import measuring_digest
from grader.authoring.solutions import reference_submission
from grader.authoring.variants import own_digest
from grader.errors import AuthoringError, GradingError
from grader.grading import GradingPool, PartialRun, suite_digest
from grader.lab.catalogue import Lab
from grader.report.report import Outcome

Measurement = dict[str, tuple[Outcome, dict[str, float]]]  # outcome and figures, by the test's id


@dataclass(frozen=True)
class Comparison:
    """One run of what was calibrated beside one of the lab as it is now."""

    variant: str | None
    number: int  # of the key
    differences: tuple[str, ...]  # a sentence each
    cpu_seconds: float  # of both


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

    Raises AuthoringError if `before` is not what was calibrated, GradingError for a fault of ours.
    """
    if not calibration.fresh(before) or any(
        found.own != own_digest(before, found.variant) for found in calibration.variants
    ):
        raise AuthoringError(
            [
                f"{lab.assignment.slug}: what is compared with is not what was calibrated; name "
                "the revision that was by --against"
            ]
        )
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
    tests = {test for found in calibration.variants for test in found.tests}
    made = Confirmation(on=today, comparisons=len(comparisons), digest_before=calibration.digest)
    return calibration.model_copy(
        update={
            "digest": measuring_digest(lab, tests),
            "suite_digest": suite_digest(lab),
            "variants": tuple(
                found.model_copy(update={"own": own_digest(lab, found.variant)})
                for found in calibration.variants
            ),
            "confirmations": (*calibration.confirmations, made),
        }
    )


def _compare(
    pool: GradingPool, lab: Lab, before: Lab, calibrated: VariantRuns, number: int
) -> Comparison:
    inputs_of = reference_submission(before, calibrated.variant).digest
    old, new = (
        _measure(pool, one, calibrated, number, inputs_of=inputs_of) for one in (before, lab)
    )
    return Comparison(
        variant=calibrated.variant,
        number=number,
        differences=tuple(_differences(_kept(old), _kept(new))),
        cpu_seconds=old.cpu_seconds + new.cpu_seconds,
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
    for test, (outcome, figures) in old.items():
        other_outcome, others = new[test]
        if outcome is not other_outcome:
            yield f"{test}: {outcome}, now {other_outcome}"
        for name in figures | others:
            was, now = (measured.get(name, "absent") for measured in (figures, others))
            if was != now:
                yield f"{test}: {name} was {was}, now {now}"
