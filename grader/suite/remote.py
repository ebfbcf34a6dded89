"""Remote operations on a student's objects, and what student code must raise or leave alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.sandbox.guest.codec import USUAL_BYTES
from grader.sandbox.host.failures import StudentRaised
from grader.sandbox.host.proxy import Student
from grader.suite.compare import assert_matches
from grader.suite.values import as_object, is_tensor, kind_of, require

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
    try:
        yield
    except StudentRaised as error:
        require(
            kind.__name__ in error.types,
            f"expected {kind.__name__}, got {error.type_name}: {error.message}",
        )
    else:
        raise AssertionError(f"expected {kind.__name__}, but nothing was raised")


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
            raise AssertionError(f"argument {place + 1} was changed in place: {error}") from None
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
        raise AssertionError(f"expected tensors by name, {bound}, got {kind_of(value)}")
    for name, tensor in value.items():
        require(is_tensor(tensor), f"{name}: expected a tensor, {bound}, got {kind_of(tensor)}")
    if shapes is not None:
        found = {name: tuple(tensor.shape) for name, tensor in value.items()}
        require(found == dict(shapes), f"expected the shapes {dict(shapes)}, got {found}")
    return value
