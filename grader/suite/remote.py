"""Remote operations on a student's objects, and what student code must raise or leave alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from grader.sandbox.host.failures import StudentRaised
from grader.sandbox.host.proxy import Student
from grader.suite.compare import assert_matches
from grader.suite.values import as_object, is_tensor, kind_of, require

if TYPE_CHECKING:
    import torch


def parameters(module: Any) -> dict[str, torch.Tensor]:
    """Return the module's named parameters; counts are made from these, not from its claims."""
    return _tensors(as_object(module).ask("parameters"))


def gradients(module: Any, x: Any, dy: Any) -> dict[str, torch.Tensor | None]:
    """Return d(sum(module(x) * dy)) / dp for every named parameter p, None where it has none."""
    answer = as_object(module).ask("gradients", x, dy)
    require(type(answer) is dict, f"expected gradients by name, got {kind_of(answer)}")
    present = {name: grad for name, grad in answer.items() if grad is not None}
    return {**answer, **_tensors(present)}


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


def _tensors(value: Any) -> dict[str, torch.Tensor]:
    if not isinstance(value, dict):
        raise AssertionError(f"expected tensors by name, got {kind_of(value)}")
    for name, tensor in value.items():
        require(is_tensor(tensor), f"{name}: expected a tensor, got {kind_of(tensor)}")
    return value
