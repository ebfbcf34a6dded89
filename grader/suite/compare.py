"""The comparator: decides whether a student's value is the reference's value.

``torch.allclose``, ``np.allclose`` and ``(a == b).all()`` broadcast, and accept an empty (0, 1)
array as equal to anything. Here kind, shape and dtype are compared before any number is, and
errors are measured against the reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from grader.report.diagnosis import Cause, Diagnosis, Difference, count_word
from grader.suite.values import (
    WrongAnswer,
    as_array,
    as_number,
    as_tensor,
    is_tensor,
    kind_of,
    require,
    word_of,
)

if TYPE_CHECKING:
    import torch

# What remains after honest rounding in another order, with room to spare.
_RTOL = {8: 1e-8, 4: 1e-4, 2: 1e-2}  # by bytes of one real number
_ATOL = 1e-12

_OFF = Diagnosis(cause=Cause.VALUE)
_NOT_FINITE = Diagnosis(cause=Cause.NOT_FINITE)
_CLOSE = 1e-4  # of each number: what float32 and a small constant leave
_NEAR_ZERO = 1e-6  # of the largest one, beside that
_LEAST_FACTOR = 1e-3  # below, everything would be near 0 rather than off by a factor
_LEAST_FOR_FACTOR = 3  # numbers that are not 0; any two may share a factor by chance


def assert_matches(
    actual: Any,
    expected: Any,
    *,
    rtol: float | None = None,
    atol: float = _ATOL,
    nonfinite: bool = False,
) -> None:
    """Assert that a student's value equals the reference's.

    Arrays and tensors: same kind, shape and dtype, finite (unless `nonfinite`, then non-finite
    entries must be the same ones), and ``max|actual - expected| <= atol + rtol * max|expected|``.
    `rtol` defaults by dtype: 1e-8 for float64, 1e-4 for float32, 1e-2 for 16 bits; integers and
    bools must be equal. A Python float, a NumPy scalar and an array without axes are one kind.
    Lists, tuples and dicts are compared item by item.
    """
    _match(actual, expected, rtol, atol, nonfinite, "value")


def _match(
    actual: Any, expected: Any, rtol: float | None, atol: float, nonfinite: bool, where: str
) -> None:
    if type(expected) in (list, tuple):
        _require_kind(actual, expected, where)
        require(
            len(actual) == len(expected),
            f"{where}: expected {len(expected)} entries, got {len(actual)}",
            Diagnosis(
                cause=Cause.LENGTH,
                expected=count_word(len(expected)),
                got=count_word(len(actual)),
            ),
        )
        for index, (a, e) in enumerate(zip(actual, expected, strict=True)):
            _match(a, e, rtol, atol, nonfinite, f"{where}[{index}]")
    elif isinstance(expected, dict):
        _require_kind(actual, expected, where)
        require(
            actual.keys() == expected.keys(),
            f"{where}: expected keys {sorted(map(str, expected))}, got {sorted(map(str, actual))}",
            Diagnosis(cause=Cause.KEYS),
        )
        for key, e in expected.items():
            _match(actual[key], e, rtol, atol, nonfinite, f"{where}[{key!r}]")
    else:
        _match_leaf(actual, expected, rtol, atol, nonfinite, where)


def _match_leaf(
    actual: Any, expected: Any, rtol: float | None, atol: float, nonfinite: bool, where: str
) -> None:
    if is_tensor(expected) and expected.ndim:
        plain = expected.detach()
        got = as_tensor(actual, tuple(plain.shape), plain.dtype, finite=not nonfinite)
        _close(_as_float64(got), _as_float64(plain), _rtol(rtol, _real_bytes(plain)), atol, where)
    elif isinstance(expected, np.ndarray) and expected.ndim:
        got_array = as_array(actual, expected.shape, expected.dtype, finite=not nonfinite)
        _close(got_array, expected, _rtol(rtol, _real_bytes(expected)), atol, where)
    elif expected is None or isinstance(expected, (bool, str, bytes)):
        _require_kind(actual, expected, where)
        require(actual == expected, f"{where}: not the expected {type(expected).__name__}", _OFF)
    elif isinstance(expected, (int, np.integer)):
        require(as_number(actual) == int(expected), f"{where}: not the expected integer", _OFF)
    else:
        number = as_number(actual, finite=not nonfinite)
        wanted = as_number(expected.detach() if is_tensor(expected) else expected, finite=False)
        _close(
            np.float64(number), np.float64(wanted), _rtol(rtol, _real_bytes(expected)), atol, where
        )


def _require_kind(actual: Any, expected: Any, where: str) -> None:
    """Require the exact type: True is no 1, and a list no tuple."""
    require(
        type(actual) is (dict if isinstance(expected, dict) else type(expected)),
        f"{where}: expected {kind_of(expected)}, got {kind_of(actual)}",
        Diagnosis(cause=Cause.KIND, expected=word_of(expected), got=word_of(actual)),
    )


def _real_bytes(value: Any) -> int:
    """Return the bytes of one real number: half of a complex one, 8 for Python's own."""
    if is_tensor(value):
        return value.element_size() // (2 if value.is_complex() else 1)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.itemsize // (2 if value.dtype.kind == "c" else 1)
    return 8


def _rtol(rtol: float | None, itemsize: int) -> float:
    return _RTOL.get(itemsize, _RTOL[8]) if rtol is None else rtol


def _as_float64(tensor: torch.Tensor) -> np.ndarray[Any, Any]:
    """Return a tensor as an array, in double precision if it is of real floating-point numbers."""
    plain = tensor.detach()
    if plain.is_floating_point():
        plain = plain.double()
    array: np.ndarray[Any, Any] = plain.numpy()
    return array


def _close(actual: Any, expected: Any, rtol: float, atol: float, where: str) -> None:
    if expected.dtype.kind in "biu":
        wrong = int(np.count_nonzero(actual != expected))
        require(
            wrong == 0,
            f"{where}: {wrong} of {expected.size} entries differ",
            _value_off(Difference.ALL if wrong == expected.size else Difference.SOME),
        )
        return
    finite = np.isfinite(expected)
    same = np.isfinite(actual) == finite
    require(bool(np.all(same)), f"{where}: NaN or infinity in the wrong places", _NOT_FINITE)
    odd_actual, odd_expected = actual[~finite], expected[~finite]
    require(
        np.array_equal(odd_actual, odd_expected, equal_nan=True),
        f"{where}: wrong infinities",
        _NOT_FINITE,
    )
    error = float(np.max(np.abs(actual[finite] - expected[finite]), initial=0.0))
    scale = float(np.max(np.abs(expected)[finite], initial=0.0))
    allowed = atol + rtol * scale
    if not error <= allowed:  # true of NaN too
        difference = _difference(actual[finite], expected[finite], allowed)
        alone = expected.size == 1 and difference is Difference.ALL
        raise WrongAnswer(
            f"{where}: largest error {error:.3g} against a reference of size {scale:.3g} "
            f"(allowed {allowed:.3g})",
            _OFF if alone else _value_off(difference),
        )


def _value_off(difference: Difference) -> Diagnosis:
    return Diagnosis(cause=Cause.VALUE, got=difference)


def _difference(actual: Any, expected: Any, allowed: float) -> Difference:
    """Tell in one word how finite numbers differ, some of them by more than is allowed."""

    def near(numbers: Any) -> bool:
        return bool(np.all(np.abs(actual - numbers) <= allowed))

    sizes = np.abs(expected)
    if bool(np.all(np.abs(actual - expected) <= _CLOSE * sizes + _NEAR_ZERO * np.max(sizes))):
        return Difference.CLOSE
    if near(-expected):
        return Difference.SIGN
    with np.errstate(all="ignore"):
        factor = np.vdot(expected, actual) / np.vdot(expected, expected)
        enough = np.count_nonzero(np.abs(expected) > allowed) >= _LEAST_FOR_FACTOR
        if enough and abs(factor) > _LEAST_FACTOR and near(factor * expected):
            return Difference.FACTOR
    everywhere = bool(np.all(np.abs(actual - expected) > allowed))
    return Difference.ALL if everywhere else Difference.SOME
