"""Take student values for what they must be: the first thing a suite does with each of them.

Whatever comes over the wire is a plain value or a handle, but still any plain value: None, a
string, an array of another shape. These helpers raise AssertionError, which fails the test, where
the bare value would raise TypeError, which stops the run as a fault of ours.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from grader.sandbox.host.proxy import RemoteObject

if TYPE_CHECKING:
    import torch

Shape = tuple[int | None, ...]


def require(fact: bool | np.bool, message: str) -> None:
    """Raise AssertionError(message) unless `fact`: an ``assert`` that no optimisation removes."""
    __tracebackhide__ = True
    if not fact:
        raise AssertionError(message)


def as_array(
    value: Any, shape: Shape | None = None, dtype: Any = None, *, finite: bool = True
) -> np.ndarray[Any, Any]:
    """Return `value` as the ndarray it must be.

    `shape` may hold None for "any size". Raises AssertionError for another type, shape or dtype,
    and for NaN or infinity unless `finite` is False.
    """
    if not isinstance(value, np.ndarray):  # the wire carries no subclass
        raise AssertionError(f"expected a NumPy array, got {kind_of(value)}")
    _check_shape(value.shape, shape)
    if dtype is not None:
        require(
            value.dtype == np.dtype(dtype), f"expected dtype {np.dtype(dtype)}, got {value.dtype}"
        )
    if finite:
        require(np.isfinite(value).all(), "the array holds NaN or infinity")
    return value


def as_tensor(
    value: Any, shape: Shape | None = None, dtype: Any = None, *, finite: bool = True
) -> torch.Tensor:
    """Return `value` as the torch tensor it must be; as `as_array` otherwise."""
    if not is_tensor(value):
        raise AssertionError(f"expected a torch tensor, got {kind_of(value)}")
    _check_shape(tuple(value.shape), shape)
    if dtype is not None:
        require(value.dtype == dtype, f"expected dtype {dtype}, got {value.dtype}")
    if finite:
        require(bool(value.isfinite().all()), "the tensor holds NaN or infinity")
    return value


def as_object(value: Any) -> RemoteObject:
    """Return `value` as the object it must be: one that stays in the sandbox and can be called."""
    __tracebackhide__ = True
    if not isinstance(value, RemoteObject):
        raise AssertionError(f"expected an object, got {kind_of(value)}")
    return value


def as_number(value: Any, *, finite: bool = True) -> float:
    """Return `value` as a float: a Python or NumPy number, or an array or tensor without axes."""
    if isinstance(value, np.generic) or (
        (type(value) is np.ndarray or is_tensor(value)) and value.ndim == 0
    ):
        value = value.item()
    require(type(value) in (int, float), f"expected a number, got {kind_of(value)}")
    try:
        number = float(value)
    except OverflowError:
        raise AssertionError("expected a number, got an int too large for one") from None
    require(not finite or np.isfinite(number), f"expected a finite number, got {number}")
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


def _check_shape(actual: tuple[int, ...], expected: Shape | None) -> None:
    if expected is None:
        return
    fits = len(actual) == len(expected) and all(
        want is None or have == want for have, want in zip(actual, expected, strict=True)
    )
    require(fits, f"expected shape {expected}, got {actual}")
