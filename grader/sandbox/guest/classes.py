"""Which subclass of tuple or dict a value had before it crossed as a plain one.

A NamedTuple that comes back must have its fields again, a defaultdict its factory. A class cannot
cross, so what comes back is known by its content: a tuple or dict equal to one that has left gets
that one's class. It is a copy all the same, as every value that comes back is.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

from . import codec


class Classes:
    """The subclasses that have left one test's process."""

    def __init__(self, handle_of: Callable[[Any], codec.Handle]) -> None:
        """Remember nothing yet; `handle_of` gives an object the same handle each time."""
        self._handle_of = handle_of
        self._builders: dict[bytes, Callable[[Any], Any]] = {}  # by what the content hashes to

    def note(self, value: Any) -> None:
        """Remember the class of a value that crosses as a plain tuple or dict."""
        build = _tuple_builder(value) if isinstance(value, tuple) else _dict_builder(value)
        if build is not None:
            self._builders[self._digest(value)] = build

    def restore(self, value: Any) -> Any:
        """Return a plain tuple or dict in the class that one of this content had."""
        if not self._builders:
            return value
        build = self._builders.get(self._digest(value))
        return build(value) if build else value

    def _digest(self, value: Any) -> bytes:
        digest = hashlib.blake2b(digest_size=16)
        for chunk in codec.encode(value, self._handle_of, limits=codec.REQUEST):
            digest.update(chunk)
        return digest.digest()


def _tuple_builder(value: tuple[Any, ...]) -> Callable[[Any], Any] | None:
    kind = type(value)
    try:
        tuple.__new__(kind, value)
    except TypeError:  # a size of torch's, say, which is as good as the tuple that it holds
        return None
    return lambda plain: tuple.__new__(kind, plain)


def _dict_builder(value: dict[Any, Any]) -> Callable[[Any], Any] | None:
    empty = _emptied(value)
    if type(empty) is not type(value):
        return None

    def build(plain: dict[Any, Any]) -> Any:
        filled = copy.copy(empty)
        filled.update(plain)
        return filled

    return build


def _emptied(value: dict[Any, Any]) -> Any:
    """Return a copy without entries; None if the class does not let itself be copied."""
    try:
        empty = copy.copy(value)
        empty.clear()
    except Exception:
        return None
    return empty
