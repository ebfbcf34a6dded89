"""Take student values for what they must be: the first thing a suite does with each of them.

Whatever comes over the wire is a plain value or a handle, but still any plain value: None, a
string, an array of another shape. These helpers raise AssertionError, which fails the test, where
the bare value would raise TypeError, which leaves it unjudged. The message is for staff; what the
student is told is the `Diagnosis` that goes with it.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from grader.report.diagnosis import (
    AXES,
    SWAPPED,
    Cause,
    Diagnosis,
    Kind,
    count_word,
    dtype_word,
)
from grader.sandbox.host.proxy import RemoteObject

if TYPE_CHECKING:
    import torch

Shape = tuple[int | None, ...]

_NOT_FINITE = Diagnosis(cause=Cause.NOT_FINITE)
_KINDS = frozenset(kind.value for kind in Kind)


class WrongAnswer(AssertionError):
    """What a student's code did is wrong: a message for staff, a diagnosis for the student."""

    def __init__(self, message: str, diagnosis: Diagnosis | None = None) -> None:
        super().__init__(message)
        self.message = str(message)  # whatever a suite has given
        self.diagnosis = diagnosis


def require(fact: bool | np.bool, message: str, diagnosis: Diagnosis | None = None) -> None:
    """Raise WrongAnswer(message) unless `fact`: an ``assert`` that no optimisation removes.

    Without a diagnosis the student reads the message's own words, as they stand in the suite: what
    an f-string fills in may hold hidden inputs, so an ellipsis stands in its place.
    """
    __tracebackhide__ = True
    if not fact:
        raise WrongAnswer(message, diagnosis)


def as_array(
    value: Any, shape: Shape | None = None, dtype: Any = None, *, finite: bool = True
) -> np.ndarray[Any, Any]:
    """Return `value` as the ndarray it must be.

    `shape` may hold None for "any size". Raises AssertionError for another type, shape or dtype,
    and for NaN or infinity unless `finite` is False.
    """
    if not isinstance(value, np.ndarray):  # the wire carries no subclass
        raise other_kind(value, Kind.ARRAY, "a NumPy array")
    _check_shape(value.shape, shape)
    if dtype is not None:
        _check_dtype(value.dtype, np.dtype(dtype))
    if finite:
        require(np.isfinite(value).all(), "the array holds NaN or infinity", _NOT_FINITE)
    return value


def as_tensor(
    value: Any, shape: Shape | None = None, dtype: Any = None, *, finite: bool = True
) -> torch.Tensor:
    """Return `value` as the torch tensor it must be; as `as_array` otherwise."""
    if not is_tensor(value):
        raise other_kind(value, Kind.TENSOR, "a torch tensor")
    _check_shape(tuple(value.shape), shape)
    if dtype is not None:
        _check_dtype(value.dtype, dtype)
    if finite:
        require(bool(value.isfinite().all()), "the tensor holds NaN or infinity", _NOT_FINITE)
    return value


def as_object(value: Any) -> RemoteObject:
    """Return `value` as the object it must be: one that stays in the sandbox and can be called."""
    __tracebackhide__ = True
    if not isinstance(value, RemoteObject):
        raise other_kind(value, Kind.OBJECT, "an object")
    return value


def as_number(value: Any, *, finite: bool = True) -> float:
    """Return `value` as a float: a Python or NumPy number, or an array or tensor without axes."""
    if isinstance(value, np.generic) or (
        (type(value) is np.ndarray or is_tensor(value)) and value.ndim == 0
    ):
        value = value.item()
    if type(value) not in (int, float):
        raise other_kind(value, Kind.NUMBER, "a number")
    try:
        number = float(value)
    except OverflowError:
        raise WrongAnswer("expected a number, got an int too large for one", _NOT_FINITE) from None
    require(
        not finite or np.isfinite(number), f"expected a finite number, got {number}", _NOT_FINITE
    )
    return number


def is_tensor(value: Any) -> TypeGuard[torch.Tensor]:
    """Say whether this is a torch tensor. A lab without torch has none, and never imports it."""
    library = sys.modules.get("torch")
    return library is not None and isinstance(value, library.Tensor)


def kind_of(value: Any) -> str:
    """Describe a value's kind in a few words, without its contents."""
    if isinstance(value, RemoteObject):
        return f"an object of class {value._handle.class_name}"
    if type(value) is np.ndarray or is_tensor(value):
        name = "array" if type(value) is np.ndarray else "tensor"
        return f"a {value.dtype} {name} of shape {tuple(value.shape)}"
    return "None" if value is None else f"a {type(value).__name__}"


def word_of(value: Any) -> Kind:
    """Return the kind of a value: the word that a student may read of it."""
    if isinstance(value, RemoteObject):
        return Kind.OBJECT
    if is_tensor(value):
        return Kind.TENSOR
    if isinstance(value, np.ndarray):
        return Kind.ARRAY
    if isinstance(value, np.generic):
        return Kind.NUMBER
    if value is None:
        return Kind.NONE
    name = type(value).__name__
    return Kind(name) if name in _KINDS else Kind.PLAIN


def other_kind(value: Any, expected: Kind, name: str) -> WrongAnswer:
    """Return the error for a value that is of another kind than expected."""
    told = Diagnosis(cause=Cause.KIND, expected=expected, got=word_of(value))
    return WrongAnswer(f"expected {name}, got {kind_of(value)}", told)


def _check_dtype(actual: Any, expected: Any) -> None:
    told = Diagnosis(cause=Cause.DTYPE, expected=dtype_word(expected), got=dtype_word(actual))
    require(actual == expected, f"expected dtype {expected}, got {actual}", told)


def _check_shape(actual: tuple[int, ...], expected: Shape | None) -> None:
    if expected is None:
        return
    fits = len(actual) == len(expected) and all(
        want is None or have == want for have, want in zip(actual, expected, strict=True)
    )
    if not fits:
        told = shape_diagnosis(actual, expected)
        raise WrongAnswer(f"expected shape {expected}, got {actual}", told)


def shape_diagnosis(actual: tuple[int, ...], expected: Shape) -> Diagnosis:
    """Tell how shapes differ, by no size: a student's code can choose those it returns."""
    if len(actual) != len(expected):
        wanted, got = (count_word(len(shape), AXES) for shape in (expected, actual))
        return Diagnosis(cause=Cause.AXES, expected=wanted, got=got)
    if Counter(actual) == Counter(expected):
        return Diagnosis(cause=Cause.SHAPE, got=SWAPPED)
    pairs = enumerate(zip(actual, expected, strict=True))
    axis = next(axis for axis, (have, want) in pairs if want is not None and have != want)
    return Diagnosis(cause=Cause.SHAPE, got=count_word(axis, AXES))
