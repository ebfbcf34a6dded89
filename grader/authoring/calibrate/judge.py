"""Judge a lab's bars, as they are now, by its calibration."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from grader.authoring.calibrate.assess import Assessment, assess, upright
from grader.authoring.calibrate.calibration import (
    BASELINES,
    Calibration,
    VariantRuns,
    load_calibration,
)
from grader.authoring.calibrate.collect import variants_of
from grader.authoring.variants import own_digest
from grader.lab.bars import BARS_NAME, EVERY, Bar, Bars, load_bars
from grader.lab.catalogue import Lab


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


def judge_bars(lab: Lab, calibration: Calibration) -> list[JudgedBar]:
    """Judge every bar in every variant that measured it or has a level of its own.

    Where a variant has neither, the default variant's row holds for it.
    """
    return [
        row
        for runs in calibration.variants
        for name, bar in bars_of(lab).items()
        if (row := _judged(bar, name, runs, calibration)) is not None
    ]


def _judged(bar: Bar, name: str, runs: VariantRuns, calibration: Calibration) -> JudgedBar | None:
    """Judge one bar in one variant; None if it has no row there."""
    own_level = EVERY not in bar.full and (runs.variant or EVERY) in bar.full
    found = calibration.sample(runs.variant, name)
    if not found or not (name in runs.figures or own_level):
        return None
    sample, count = found
    return JudgedBar(
        runs.variant,
        name,
        assess(bar, runs.variant, sample.values, count),
        _best(bar, runs, name, sample.sd),
        tuple(_baselines_that_reach(bar, name, runs)),
    )


def _baselines_that_reach(bar: Bar, name: str, runs: VariantRuns) -> Iterator[str]:
    full = bar.full_for(runs.variant)
    for wrong in runs.wrong:
        if wrong.name.startswith(f"{BASELINES}/") and name in wrong.figures:
            if not bar.ahead(full, wrong.figures[name]):
                yield wrong.name


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
