"""JSON as text that may lie: objects keep doubled keys, and literals stand as they were written."""

from __future__ import annotations

import json
from random import Random
from typing import Any


class Pairs(list[Any]):
    """An object as the list of its [key, value] pairs, doubled keys included."""


class Literal(str):
    """Text that is written into the JSON as it stands, valid or not."""


# Literals on which parsers differ, or that a careless reader takes for something else.
LITERALS = [
    "NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e-999", "-0", "-0.0", "1E5", "0.1e1",
    "9" * 30, "9" * 78, "9" * 5000, "-" + "9" * 200, "00", "01", "+1", ".5", "0x10", "1_0",
    '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\u202e"', '"\x7f"',
    "'x'", "undefined", "True", "nul", "[", "]", "{", "}", ",", ":", "[" * 60 + "]" * 60,
    "[" * 3000,
    "//x\n0", "\ufeff0", "0 ", " 0", "null", "true", "false", "0", "1", "-1", '""',
]  # fmt: skip
INTERESTING = [
    None, True, False, 0, 1, -1, 2, 3, 8, 9, 19, 20, 21, 255, 256, 257, 2**31, 2**53, 2**61 - 1,
    2**62, 2**63, 2**64, 2**255, 2**256, -(2**256), 256_000_000, 256_000_001, 0.0, -0.0, 1.5, 1e308,
    "", "a", "nan", "inf", "-inf", "\x00", "\u202e", "\U0001f600", "ok", "raised",
]  # fmt: skip


def parse(text: str) -> Any:
    """Read JSON into lists, `Pairs` and scalars; ValueError or RecursionError if it is none."""
    return json.loads(text, object_pairs_hook=lambda pairs: Pairs(map(list, pairs)))


def write(tree: Any) -> str:
    """Write a tree as JSON text; `Literal` goes out as it stands."""
    if isinstance(tree, Literal):
        return str(tree)
    if isinstance(tree, dict):
        tree = Pairs([key, value] for key, value in tree.items())
    if isinstance(tree, Pairs):
        return "{" + ",".join(map(_pair, tree)) + "}"
    if isinstance(tree, list | tuple):
        return "[" + ",".join(map(write, tree)) + "]"
    return json.dumps(tree)


def _pair(pair: Any) -> str:
    """Write a pair; a mutation may have left something else in its place."""
    key, value, *_ = [*(pair if isinstance(pair, list) else [pair]), None, None]
    return f"{json.dumps(key if isinstance(key, str) else 'x')}:{write(value)}"


def scalar(rng: Random) -> Any:
    """Return a scalar on which something may turn."""
    if rng.random() < 0.3:
        return Literal(rng.choice(LITERALS))
    if rng.random() < 0.3:
        return rng.getrandbits(rng.choice([3, 8, 16, 64, 300])) * rng.choice([1, -1])
    return rng.choice(INTERESTING)


def places(tree: Any) -> list[tuple[Any, int]]:
    """Return (container, index) of every node below the root; an object's pair counts as one."""
    found: list[tuple[Any, int]] = []
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            for index, child in enumerate(node):
                found.append((node, index))
                stack.append(child)
    return found


def mutate(tree: Any, rng: Random, fresh: Any) -> Any:
    """Change one place of a tree; `fresh(rng)` makes a new node for it."""
    spots = places(tree)
    if not spots:
        return fresh(rng)
    container, index = rng.choice(spots)
    act = rng.randrange(7)
    if isinstance(container, Pairs):
        _mutate_pair(container, index, act, rng, fresh)
    elif act < 3:
        container[index] = fresh(rng)
    elif act == 3:
        container[index] = scalar(rng)
    elif act == 4:
        del container[index]
    elif act == 5:
        container.insert(index, container[index])  # shared: a later change shows in both
    else:
        container[index] = rng.choice(spots)[0]
        if _deep(tree):
            container[index] = scalar(rng)
    return tree


def _mutate_pair(pairs: Pairs, index: int, act: int, rng: Random, fresh: Any) -> None:
    if act < 2:
        pairs[index] = [_name(pairs[index]), fresh(rng)]
    elif act < 4:
        pairs[index] = [rng.choice("v b f l t d y a s T h k".split()), _value(pairs[index])]
    elif act == 4:
        del pairs[index]
    else:
        value = fresh(rng) if act == 5 else _value(pairs[index])
        pairs.insert(index, [_name(pairs[index]), value])


def _name(pair: Any) -> Any:
    return pair[0] if isinstance(pair, list) and pair else "x"


def _value(pair: Any) -> Any:
    return pair[-1] if isinstance(pair, list) and pair else None


def _deep(tree: Any, depth: int = 0) -> bool:
    """Tell whether a tree is too deep to be written, as one that holds itself is."""
    if depth > 60:
        return True
    return isinstance(tree, list) and any(_deep(child, depth + 1) for child in tree)
