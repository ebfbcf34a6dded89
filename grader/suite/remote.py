"""Remote operations on a student's objects, and what student code must raise or leave alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.report.diagnosis import (
    ARGUMENTS,
    Cause,
    Diagnosis,
    Kind,
    count_word,
    exception_word,
)
from grader.sandbox.guest.codec import USUAL_BYTES
from grader.sandbox.host.failures import StudentRaised
from grader.sandbox.host.proxy import Student
from grader.suite.compare import assert_matches
from grader.suite.values import (
    WrongAnswer,
    as_object,
    is_tensor,
    kind_of,
    other_kind,
    require,
    shape_diagnosis,
)

if TYPE_CHECKING:
    import torch

_LARGEST_ITEM = 16  # bytes, of a complex128

Shapes = Mapping[str, tuple[int, ...]]


def parameters(
    module: Any, *, shapes: Shapes | None = None, at_most: int = USUAL_BYTES
) -> dict[str, torch.Tensor]:
    """Return the module's named parameters; counts are made from these, not from its claims.

    Of more than `at_most` bytes in all none is sent. With `shapes`, those that every parameter must
    have, by name, no more is sent than these take. AssertionError if they are others or too many.
    """
    found = as_object(module).ask("parameters", most=_most(shapes, at_most))
    return _tensors(found, shapes, at_most)


def gradients(
    module: Any, x: Any, dy: Any, *, shapes: Shapes | None = None, at_most: int = USUAL_BYTES
) -> dict[str, torch.Tensor | None]:
    """Return d(sum(module(x) * dy)) / dp for every named parameter p, None where it has none.

    `shapes`, of the gradients that must be there, and `at_most` are as in `parameters`.
    """
    answer = as_object(module).ask("gradients", x, dy, most=_most(shapes, at_most))
    if type(answer) is not dict:
        return {**_tensors(answer, shapes, at_most)}
    present = {name: grad for name, grad in answer.items() if grad is not None}
    return {**answer, **_tensors(present, shapes, at_most)}


def set_training(module: Any, training: bool) -> None:
    """Put the module in training or evaluation mode."""
    as_object(module).ask("train", training)


def attribute(thing: Any, name: str) -> Any:
    """Return the value of an attribute of a student's object."""
    return getattr(as_object(thing), name).fetch()


@contextmanager
def expect_raises(kind: type[Exception]) -> Iterator[None]:
    """Assert that the student's code raises `kind`, a built-in exception, inside the block."""
    wanted = exception_word([one.__name__ for one in kind.__mro__])
    try:
        yield
    except StudentRaised as error:
        require(
            kind.__name__ in error.types,
            f"expected {kind.__name__}, got {error.type_name}: {error.message}",
            _other_raised(wanted, error),
        )
    else:
        raise WrongAnswer(
            f"expected {kind.__name__}, but nothing was raised",
            Diagnosis(cause=Cause.NOT_RAISED, expected=wanted),
        )


def _other_raised(wanted: str, error: StudentRaised) -> Diagnosis:
    if error.cause is not None:  # not written yet, or a limit that was reached
        return Diagnosis(cause=error.cause)
    return Diagnosis(cause=Cause.OTHER_RAISED, expected=wanted, got=exception_word(error.types))


def require_unchanged(
    student: Student, function: Callable[..., Any], *args: Any, **kwargs: Any
) -> Any:
    """Return ``function(*args, **kwargs)``, which must leave arrays and tensors as they were.

    Checked are arguments by position that are arrays or tensors, or tuples of them.
    """
    held = {place: student.hold(arg) for place, arg in enumerate(args) if _may_change(arg)}
    answer = function(*(held.get(place, arg) for place, arg in enumerate(args)), **kwargs)
    for place, there in held.items():
        try:
            assert_matches(there.ask("held"), args[place], rtol=0, atol=0, nonfinite=True)
        except AssertionError as error:
            raise WrongAnswer(
                f"argument {place + 1} was changed in place: {error}",
                Diagnosis(cause=Cause.CHANGED, got=count_word(place + 1, ARGUMENTS)),
            ) from None
    return answer


def _may_change(value: Any) -> bool:
    if type(value) is tuple:
        return bool(value) and all(map(_may_change, value))
    return isinstance(value, np.ndarray) or is_tensor(value)


def _most(shapes: Shapes | None, at_most: int) -> int:
    """Return the bytes that tensors of these shapes have at most, whatever they hold."""
    if shapes is None:
        return at_most
    return min(at_most, _LARGEST_ITEM * sum(math.prod(shape) for shape in shapes.values()))


def _tensors(value: Any, shapes: Shapes | None, at_most: int) -> dict[str, torch.Tensor]:
    bound = f"of at most {_most(shapes, at_most):,} bytes in all"
    if not isinstance(value, dict):
        raise WrongAnswer(
            f"expected tensors by name, {bound}, got {kind_of(value)}",
            Diagnosis(cause=Cause.TOO_MUCH_TO_JUDGE),
        )
    for name, tensor in value.items():
        if not is_tensor(tensor):
            raise other_kind(tensor, Kind.TENSOR, f"a tensor for {name}, {bound}")
    if shapes is not None:
        _require_shapes({name: tuple(tensor.shape) for name, tensor in value.items()}, shapes)
    return value


def _require_shapes(found: Shapes, shapes: Shapes) -> None:
    """Require these shapes by name; the first that differs is told."""
    told = Diagnosis(cause=Cause.KEYS)
    if found.keys() == shapes.keys():
        wrong = (name for name, shape in shapes.items() if found[name] != shape)
        told = next((shape_diagnosis(found[name], shapes[name]) for name in wrong), told)
    require(
        dict(found) == dict(shapes), f"expected the shapes {dict(shapes)}, got {dict(found)}", told
    )
