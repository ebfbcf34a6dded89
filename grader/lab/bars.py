"""The bars of a lab: what a measured figure must reach, in ``reference/<slug>/bars.toml``.

::

    [cora-accuracy]
    title = "test accuracy on Cora, mean of 3 seeds"
    better = "higher"                              # or "lower"
    full = { cora = 0.80, synthetic = 0.7 }        # or one number for every variant
    partial = { cora = 0.77, synthetic = 0.6 }     # optional: earns `credit`, 0.5 by default
    scale = "linear"                               # or "log10": how its distribution is modelled
    show = true                                    # whether students are told the rounded figure

Instead of `partial` a bar may have a `floor`: from there, where nothing is earned, credit grows
linearly on the bar's scale to all of it at `full`; it counts in steps (`grader.report.scoring`). A
suite never writes a threshold as a literal.
"""

from __future__ import annotations

import math
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from grader.errors import ManifestError, ManifestProblem
from grader.lab.manifest import Assignment
from grader.lab.naming import ItemId

BARS_NAME = "bars.toml"
EVERY = ""  # the variant of a number that holds for all of them

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


def _by_variant(value: object) -> object:
    return value if isinstance(value, dict) else {EVERY: value}


Levels = Annotated[dict[str, Number], BeforeValidator(_by_variant), Field(min_length=1)]


@dataclass(frozen=True)
class Judged:
    """What a figure earns: the share of the test's points, and the sentence that says why."""

    share: float  # in [0, 1]; 0 fails the test
    why: str


class Bar(BaseModel):
    """One threshold and how it is judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)
    better: Literal["higher", "lower"]
    full: Levels
    partial: Levels | None = None
    credit: float | None = Field(None, gt=0, lt=1, strict=True)
    floor: Levels | None = None
    scale: Literal["linear", "log10"] = "linear"
    show: bool = Field(True, strict=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for mend in self._mistakes():
            raise ValueError(mend)
        return self

    def _mistakes(self) -> Iterator[str]:
        """Say what no single key can tell."""
        if self.partial is not None and self.floor is not None:
            yield "has both partial and floor; keep one of them"
        if self.credit is not None and self.partial is None:
            yield "has credit without partial; add partial or remove credit"
        for name, lower in (("partial", self.partial), ("floor", self.floor)):
            if lower is None:
                continue
            if lower.keys() != self.full.keys():
                yield f"{name} names other variants than full; give both the same"
            for variant in lower.keys() & self.full.keys():
                if not self.ahead(self.full[variant], lower[variant]):
                    yield f"{name} must be worse than full, and it is not"
        levels = [*self.full.values(), *(self.partial or {}).values(), *(self.floor or {}).values()]
        if self.scale == "log10" and min(levels) <= 0:
            yield "has a scale of log10 and a level of 0 or less; make it positive or linear"

    def ahead(self, value: float, other: float) -> bool:
        """Whether `value` is better than `other`."""
        return value > other if self.better == "higher" else value < other

    def on_scale(self, value: float) -> float:
        """Return a value as it is modelled; on log10, 0 and less count as the least float."""
        if self.scale == "linear":
            return value
        return math.log10(max(value, sys.float_info.min))

    def off_scale(self, position: float) -> float:
        """Undo `on_scale`."""
        return position if self.scale == "linear" else 10.0**position

    def full_for(self, variant: str | None) -> float:
        """Return the level that earns everything; KeyError if it is set for other variants only."""
        return _at(self.full, variant)

    def judge(self, value: float, variant: str | None) -> Judged:
        """Judge a figure; what is no finite number earns nothing.

        Raises KeyError if the bar is set for other variants only.
        """
        full = self.full_for(variant)
        sentence = f"{self.title}: {value:.4g}, the bar is {full:.4g}"
        if not math.isfinite(value):
            return Judged(0.0, sentence)
        if not self.ahead(full, value):
            return Judged(1.0, sentence)
        if self.partial is not None:
            partial = _at(self.partial, variant)
            reached = not self.ahead(partial, value)
            share = (0.5 if self.credit is None else self.credit) if reached else 0.0
            return Judged(share, f"{sentence} ({partial:.4g} for a part)")
        if self.floor is not None:
            floor = _at(self.floor, variant)
            below, top, here = map(self.on_scale, (floor, full, value))
            share = max(0.0, (here - below) / (top - below))
            return Judged(share, f"{sentence} (points begin at {floor:.4g})")
        return Judged(0.0, sentence)


def _at(levels: dict[str, float], variant: str | None) -> float:
    return levels[EVERY] if EVERY in levels else levels[variant or EVERY]


Bars = dict[str, Bar]
_FILE: TypeAdapter[Bars] = TypeAdapter(dict[ItemId, Bar])


def load_bars(file: Path, assignment: Assignment) -> Bars:
    """Read a lab's bars by name; a lab without the file has none.

    Raises ManifestError with every mistake found, each naming file, key and mend.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _refused(file, f"cannot be read ({error.strerror}); make it readable") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _refused(file, f"is not valid TOML: {error}") from None
    try:
        bars = _FILE.validate_python(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ManifestError([_problem(file, detail) for detail in details]) from None
    found = [
        ManifestProblem(file, f"{name}.full.{variant}", _no_variant(variant, assignment))
        for name, bar in bars.items()
        for variant in bar.full
        if variant != EVERY and variant not in assignment.variants
    ]
    if found:
        raise ManifestError(found)
    return bars


def _refused(file: Path, mend: str) -> ManifestError:
    return ManifestError([ManifestProblem(file, "", mend)])


def _no_variant(variant: str, assignment: Assignment) -> str:
    known = ", ".join(sorted(assignment.variants)) or "none: write one number"
    return f"there is no variant {variant!r} in the manifest; known: {known}"


def _problem(file: Path, detail: Any) -> ManifestProblem:
    """Turn one of pydantic's errors into a sentence."""
    steps = [str(step) for step in detail["loc"] if step not in (EVERY, "[key]")]
    kind, message = detail["type"], detail["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        message = f"is no key of a bar; use one of {', '.join(Bar.model_fields)}"
    elif kind == "missing":
        message = "is missing; add it"
    elif kind in ("float_type", "finite_number"):
        message = f"expected a finite number, got {detail['input']!r}"
    return ManifestProblem(file, ".".join(steps), message)
