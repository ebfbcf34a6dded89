"""Remote operations on a student's ``nn.Module``, and the check that student code raises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from grader.sandbox.host.failures import StudentRaised
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


def _tensors(value: Any) -> dict[str, torch.Tensor]:
    if not isinstance(value, dict):
        raise AssertionError(f"expected tensors by name, got {kind_of(value)}")
    for name, tensor in value.items():
        require(is_tensor(tensor), f"{name}: expected a tensor, got {kind_of(tensor)}")
    return value
