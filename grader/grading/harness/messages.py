"""What students may read of a suite's messages: the words of `require` and `pytest.fail`.

They are read from the text of the suite, not from what it says when it runs. A message is known
again by its words, and shown with an ellipsis in the place of each value: so nothing that a test
computes can be in one, whatever it is built of.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ELLIPSIS = "…"
_MESSAGE_OF = {"require": (1, "message"), "fail": (0, "reason")}  # its place and its name
_LEAST_LETTERS = 4  # fewer are no words
_LONGEST = 10_000  # of what a test said, to be looked at


@dataclass(frozen=True, order=True)
class Message:
    """A message as it stands in the suite: its words, between which values are filled in."""

    words: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The message as students read it."""
        return ELLIPSIS.join(self.words)

    @property
    def letters(self) -> int:
        """How much of it is words."""
        return sum(char.isalpha() for part in self.words for char in part)

    def fits(self, said: str) -> bool:
        """Whether this message, with some values, is what was said."""
        first, *middle = self.words
        if not middle:
            return said == first
        last = middle.pop()
        if not said.startswith(first) or len(said) < len(first) + len(last):
            return False
        place, end = len(first), len(said) - len(last)
        for part in middle:
            place = said.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return place <= end and said.endswith(last)


def read_messages(*folders: Path) -> tuple[Message, ...]:
    """Return the messages in all Python files of some folders, the most telling first.

    Those without a value, which fit one text alone, stand before the others.
    """
    files = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    found = {message for file in files for message in _messages(ast.parse(file.read_bytes()))}
    return tuple(sorted(found, key=lambda one: (len(one.words) > 1, -one.letters, one)))


def told_by(messages: tuple[Message, ...], said: str) -> str | None:
    """Return what students may read of what a test said, None if that is nothing."""
    if len(said) > _LONGEST:
        return None
    return next((message.shown for message in messages if message.fits(said)), None)


def _messages(tree: ast.Module) -> Iterator[Message]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in _MESSAGE_OF:
            place, name = _MESSAGE_OF[_name(node.func)]
            named = [word.value for word in node.keywords if word.arg == name]
            for value in (*node.args[place : place + 1], *named):
                message = Message(tuple(_words(value)))
                if message.letters >= _LEAST_LETTERS:
                    yield message


def _words(value: ast.expr) -> Iterator[str]:
    """Yield the text before, between and after the values of a string; nothing of another."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    if not isinstance(value, ast.JoinedStr):
        return
    text = ""
    for part in value.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            yield text
            text = ""
    yield text


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
