"""What may be told of a test that was not passed: a cause, with words from fixed small sets.

A student's code has seen hidden inputs, so whatever it can choose to have shown is a channel. A
`Diagnosis` holds nothing else than words of `WORDS`, limits of the manifest, the line of a table as
it was handed in, a figure on a coarse grid, and constants of the author's. `tellable` lists what
code can choose from; the sentences are in `grader.report.causes`.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Cause(StrEnum):
    """Why a test was not passed, or only in part."""

    # Nothing more is known than how the test ended.
    WRONG = "wrong"
    RAISED = "raised"
    CPU_TIME = "cpu_time"
    MEMORY = "memory"
    CRASHED = "crashed"
    NOT_RUN = "not_run"
    UNJUDGED = "unjudged"
    IN_PART = "in_part"
    # The test did not come to its question.
    BLOCKED = "blocked"
    NOT_HANDED_IN = "not_handed_in"
    NOT_WRITTEN = "not_written"
    NOT_IMPORTED = "not_imported"
    WAITED = "waited"
    RUN_SPENT = "run_spent"
    PROCESSES = "processes"
    OPEN_FILES = "open_files"
    DISK_FULL = "disk_full"
    FILE_SIZE = "file_size"
    TOO_MUCH_TO_JUDGE = "too_much_to_judge"
    # What was wrong with the answer.
    KIND = "kind"
    LENGTH = "length"
    KEYS = "keys"
    AXES = "axes"
    SHAPE = "shape"
    DTYPE = "dtype"
    NOT_FINITE = "not_finite"
    VALUE = "value"
    CHANGED = "changed"
    NOT_RAISED = "not_raised"
    OTHER_RAISED = "other_raised"
    FIGURE = "figure"
    BAR = "bar"  # a figure that is not shown
    SAID = "said"
    TABLE_LINE = "table_line"


class Kind(StrEnum):
    """What sort of value an answer is."""

    NONE = "None"
    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    BYTES = "bytes"
    LIST = "list"
    TUPLE = "tuple"
    DICT = "dict"
    ARRAY = "array"
    TENSOR = "tensor"
    OBJECT = "object"  # it stays in the sandbox
    NUMBER = "number"  # int, float, or an array or tensor without axes
    PLAIN = "plain value"  # anything but an object


class Difference(StrEnum):
    """How the numbers of an answer differ from the expected ones."""

    SOME = "some"
    ALL = "all"
    CLOSE = "close"  # right but for rounding or a small constant
    SIGN = "sign"  # right but for the sign
    FACTOR = "factor"  # right but for one factor that all share


OTHER = "another"
MORE = "more"
SWAPPED = "swapped"  # the right sizes in another order
OWN_EXCEPTION = "own"  # of no built-in type but Exception
NOT_A_NUMBER = "nan"
AT_MOST, AT_LEAST = "≤ ", "≥ "

DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "bfloat16", "float32", "float64", "complex64", "complex128", OTHER,
)  # fmt: skip
EXCEPTIONS = (
    "AssertionError", "AttributeError", "EOFError", "FileNotFoundError", "FloatingPointError",
    "ImportError", "IndexError", "KeyError", "MemoryError", "ModuleNotFoundError", "NameError",
    "NotImplementedError", "OSError", "OverflowError", "PermissionError", "RecursionError",
    "RuntimeError", "StopIteration", "TypeError", "UnboundLocalError", "UnicodeError",
    "ValueError", "ZeroDivisionError", OWN_EXCEPTION,
)  # fmt: skip
COUNTS = (*map(str, range(10)), MORE)
AXES = (*map(str, range(6)), MORE)
ARGUMENTS = (*map(str, range(1, 7)), MORE)

_NOTHING = ("",)
_KINDS = tuple(Kind)
# What `expected` and `got` may be, by cause; a cause that is not here has neither.
WORDS: dict[Cause, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Cause.RAISED: (_NOTHING, ("", *EXCEPTIONS)),
    Cause.KIND: (_KINDS, _KINDS),
    Cause.LENGTH: (COUNTS, COUNTS),
    Cause.AXES: (AXES, AXES),
    Cause.SHAPE: (_NOTHING, (SWAPPED, *AXES)),
    Cause.DTYPE: (DTYPES, DTYPES),
    Cause.VALUE: (_NOTHING, ("", *Difference)),
    Cause.CHANGED: (_NOTHING, ARGUMENTS),
    Cause.NOT_RAISED: (EXCEPTIONS, _NOTHING),
    Cause.OTHER_RAISED: (EXCEPTIONS, EXCEPTIONS),
}
# Numbers that no code can choose: limits of the manifest, and the line of a file as handed in.
_LIMITS = {Cause.CPU_TIME: re.compile(r"(\d+(\.\d+)? s)?"), Cause.MEMORY: re.compile(r"(\d+ MB)?")}
_LINE = re.compile(r"\d{1,6}")
WITH_CONSTANT = frozenset({Cause.FIGURE, Cause.BAR, Cause.SAID})

_REACH = 50  # steps of a grid to either side of its bar
_STEPS_PER_DECADE = 10
_LEAST_STEP, _MOST_DECADES = -300, 308  # powers of ten: others are no floats
Scale = Literal["linear", "log10"]


class Diagnosis(BaseModel):
    """A cause and what is told with it; ValueError for any word outside the fixed sets."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cause: Cause
    expected: str = Field("", description="of the answer; a limit; what a figure must reach")
    got: str = Field("", description="what the answer was, where that is told")
    said: str = Field("", description="a constant of the author's: a message, a bar's title")

    @model_validator(mode="after")
    def _within_the_sets(self) -> Self:
        if not self._fits():
            raise ValueError(f"{self.cause.value} tells no {self.expected!r} and {self.got!r}")
        if bool(self.said) != (self.cause in WITH_CONSTANT):
            raise ValueError(f"a constant of the author's and {self.cause.value} go not together")
        return self

    def _fits(self) -> bool:
        if self.cause in _LIMITS:
            return _LIMITS[self.cause].fullmatch(self.expected) is not None and not self.got
        if self.cause is Cause.TABLE_LINE:
            return _LINE.fullmatch(self.got) is not None and not self.expected
        if self.cause is Cause.FIGURE:
            return self.got in figures(self.expected)
        expected, got = WORDS.get(self.cause, (_NOTHING, _NOTHING))
        return self.expected in expected and self.got in got


def tellable() -> Iterator[Diagnosis]:
    """Yield all that can be told of a test without bars and messages of its own."""
    for cause in Cause:
        if cause not in WITH_CONSTANT and cause is not Cause.TABLE_LINE:
            for expected, got in itertools.product(*WORDS.get(cause, (_NOTHING, _NOTHING))):
                yield Diagnosis(cause=cause, expected=expected, got=got)


def count_word(number: int, words: tuple[str, ...] = COUNTS) -> str:
    """Return the word for a number: itself as long as it is small."""
    return str(number) if str(number) in words else MORE


def dtype_word(dtype: object) -> str:
    """Return the word for a data type of NumPy or torch."""
    name = str(dtype).removeprefix("torch.")
    return name if name in DTYPES else OTHER


def exception_word(types: list[str]) -> str:
    """Return the built-in exception among the class names of a raised one, innermost first."""
    return next((name for name in types if name in EXCEPTIONS), OWN_EXCEPTION)


def figure_word(value: float, bar: float, scale: Scale, *, round_up: bool) -> str:
    """Return a figure on the coarse grid around its bar.

    A linear grid has steps of the bar's second digit, one of log10 tenths of a decade; fifty steps
    from the bar it ends.
    """
    if not math.isfinite(value):
        return NOT_A_NUMBER
    bar = float(_written(bar))  # the grid is that of the bar as it is shown
    step = _step(bar)
    place = _position(value, step, scale)
    place = max(-(10.0**9), min(10.0**9, place))
    middle = round(_position(bar, step, scale))
    whole = math.ceil(place - 1e-9) if round_up else math.floor(place + 1e-9)
    return _on_grid(whole, middle, step, scale)


def bar_word(bar: float, *, lower_is_better: bool) -> str:
    """Return what a figure must reach: ``≤ 0.0001``."""
    return f"{AT_MOST if lower_is_better else AT_LEAST}{_written(bar)}"


def _written(bar: float) -> str:
    return f"{bar:.6g}"


def figures(bar: str) -> Iterator[str]:
    """Yield every word for a figure whose bar has this word; none if that is no bar's."""
    try:
        level = float(bar.removeprefix(AT_MOST).removeprefix(AT_LEAST))
    except ValueError:
        return
    if not math.isfinite(level):
        return
    yield NOT_A_NUMBER
    step = _step(level)
    scales: tuple[Scale, ...] = ("linear", "log10") if level > 0 else ("linear",)
    for scale in scales:
        middle = round(_position(level, step, scale))
        for whole in range(middle - _REACH - 1, middle + _REACH + 2):
            yield _on_grid(whole, middle, step, scale)


def _step(bar: float) -> int:
    """Return the power of ten that a linear grid steps by."""
    return max(math.floor(math.log10(abs(bar))) - 1, _LEAST_STEP) if bar else -2


def _position(value: float, step: int, scale: Scale) -> float:
    if scale == "log10":
        return _STEPS_PER_DECADE * (math.log10(value) if value > 0 else -math.inf)
    return value / 10.0**step


def _on_grid(whole: int, middle: int, step: int, scale: Scale) -> str:
    beyond = abs(whole - middle) > _REACH
    sign = (AT_MOST if whole < middle else AT_LEAST) if beyond else ""
    whole = max(middle - _REACH, min(middle + _REACH, whole))
    if scale == "log10":
        return f"{sign}{10 ** min(whole / _STEPS_PER_DECADE, _MOST_DECADES):.2g}"
    return f"{sign}{whole * 10.0**step:.{max(0, -step)}f}"
