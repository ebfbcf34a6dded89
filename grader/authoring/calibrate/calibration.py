"""``reference/<slug>/calibration.json``: what the reference and wrong solutions measured, and when.

The values themselves are kept, so that a bar that is moved is judged anew without any run. They
are stale once anything has changed that a measuring test can see; see `measuring_digest`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import fmean, stdev
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from grader.authoring.calibrate import bounds
from grader.authoring.calibrate.seen import measuring_digest
from grader.errors import ManifestError, ManifestProblem
from grader.lab.bars import Bar
from grader.lab.catalogue import Lab
from grader.report.report import Environment

CALIBRATION_NAME = "calibration.json"
BASELINES = "baselines"
_QUANTILES = (5, 25, 50, 75, 95)  # per cent
_FIGURES = 6  # that a value keeps


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sample(_Model):
    """One figure of the reference, a value a run; of several tests in a run, the worst."""

    bar: bool = Field(description="whether it is a bar's; else it was only recorded")
    scale: Literal["linear", "log10"] = "linear"
    n: int
    mean: float = Field(description="on the scale, as are sd, skewness and kurtosis")
    sd: float
    min: float
    max: float
    quantiles: dict[str, float]
    skewness: float
    kurtosis: float = Field(description="excess: 0 for a normal distribution")
    values: tuple[float, ...] = Field(description="in the order of the runs")

    @classmethod
    def of(cls, values: Sequence[float], bar: Bar | None) -> Self:
        """Describe a sample."""
        kept = [rounded(value) for value in values]
        scaled = [bar.on_scale(value) for value in kept] if bar else kept
        return cls(
            bar=bar is not None,
            scale=bar.scale if bar else "linear",
            n=len(kept),
            mean=rounded(fmean(scaled)),
            sd=rounded(stdev(scaled)) if len(kept) > 1 else 0.0,
            min=min(kept),
            max=max(kept),
            quantiles={f"{share}%": rounded(_quantile(kept, share)) for share in _QUANTILES},
            skewness=rounded(bounds.skewness(scaled)) if len(kept) > 3 else 0.0,
            kurtosis=rounded(bounds.kurtosis(scaled)) if len(kept) > 3 else 0.0,
            values=tuple(kept),
        )


class Wrong(_Model):
    """A wrong solution and the figures of its run; a test that did not get so far has none."""

    name: str = Field(description="baselines/NAME or mutants/NAME")
    title: str
    figures: dict[str, float]
    lost: tuple[str, ...] = Field((), description="ids of the measuring tests that it lost")


class VariantRuns(_Model):
    """All runs of one variant."""

    variant: str | None
    runs: int
    tests: tuple[str, ...] = Field(description="ids of the tests that were run many times")
    own: str = Field("", description="digest of what the reference has of its own for the variant")
    rest_as: str | None = Field(
        None, description="the variant whose figures hold here too, where this one has none"
    )
    cpu_seconds_mean: float = Field(description="of the reference's own code in these tests")
    cpu_seconds_max: float
    figures: dict[str, Sample]
    wrong: tuple[Wrong, ...] = ()


class Confirmation(_Model):
    """A change that moved no figure in any of the runs that were made before and after it."""

    on: date
    comparisons: int = Field(
        description="runs of the reference as it was, each beside one as it is"
    )
    digest_before: str


class Calibration(_Model):
    """All runs of a lab's reference, and what they were made with."""

    schema_version: Literal[1] = 1
    lab: str
    made_on: date
    digest: str = Field(description="of all that the measuring tests see")
    suite_digest: str = Field(description="of the whole suite at the time")
    environment: Environment
    variants: tuple[VariantRuns, ...]
    confirmations: tuple[Confirmation, ...] = Field((), description="since these runs, in order")

    def of(self, variant: str | None) -> VariantRuns | None:
        """Return the runs of a variant, None if there are none."""
        return next((runs for runs in self.variants if runs.variant == variant), None)

    def sample(self, variant: str | None, figure: str) -> tuple[Sample, int] | None:
        """Return a figure's sample in a variant and of how many runs, None if there is none."""
        runs = self.of(variant)
        if runs is not None and figure not in runs.figures and runs.rest_as is not None:
            runs = self.of(runs.rest_as)
        if runs is None or figure not in runs.figures:
            return None
        return runs.figures[figure], runs.runs

    def fresh(self, lab: Lab) -> bool:
        """Whether nothing has changed since that a measuring test can see in every variant."""
        tests = {test for runs in self.variants for test in runs.tests}
        return self.digest == measuring_digest(lab, tests)


def _quantile(values: Sequence[float], percent: int) -> float:
    """Return a quantile, linear between the values that enclose it."""
    ordered = sorted(values)
    whole, part = divmod((len(ordered) - 1) * percent / 100, 1)
    low, high = ordered[int(whole)], ordered[min(int(whole) + 1, len(ordered) - 1)]
    return low + part * (high - low)


def rounded(value: float) -> float:
    """Return a value with as many figures as are kept."""
    return float(f"{value:.{_FIGURES}g}")


def load_calibration(lab: Lab) -> Calibration | None:
    """Read a lab's calibration, None if there is none; ManifestError if it is of another form."""
    if lab.reference is None:
        return None
    file = lab.reference / CALIBRATION_NAME
    try:
        return Calibration.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        mend = f"{first['msg']}; make it anew: grader calibrate {lab.assignment.slug}"
        raise ManifestError([ManifestProblem(file, key, mend)]) from None


def save_calibration(lab: Lab, calibration: Calibration) -> Path:
    """Write a lab's calibration, a list of numbers on one line each, and return the file."""
    assert lab.reference is not None  # noqa: S101 - who calibrates has run the reference
    file = lab.reference / CALIBRATION_NAME
    text = json.dumps(calibration.model_dump(mode="json"), indent=1, ensure_ascii=False)
    on_one_line = re.sub(r"\[[-+.\deE,\s]*\]", lambda found: re.sub(r"\s+", " ", found[0]), text)
    file.write_text(on_one_line + "\n", encoding="utf-8")
    return file
