"""What names stand for, scope by scope, in a module that is read and never run."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

CERTAIN, LIKELY, UNCLEAR = "certain", "likely", "unclear"
Meanings = dict[str, str]  # dotted name -> how sure

_MOST_MEANINGS = 8  # of one name; more are a riddle, and cost time


class Scope:
    """What the names of one function, class or module stand for."""

    def __init__(self, parent: Scope | None, *, of_class: bool = False) -> None:
        self.parent = parent
        self.of_class = of_class
        self.bound: dict[str, Meanings] = {}
        self.texts: dict[str, set[str]] = {}  # name -> strings it is assigned
        self.vague: set[str] = set()  # names that also stand for what is not known
        self.stars: set[str] = set()  # modules of which everything is imported
        self.elsewhere: dict[str, Scope] = {}  # names declared global or nonlocal

    def bind(self, name: str, meanings: Meanings, text: str | None = None) -> None:
        """Add what a name may stand for."""
        if name in self.elsewhere:
            self.elsewhere[name].bind(name, meanings, text)
            return
        known = self.bound.setdefault(name, {})
        if len(known) < _MOST_MEANINGS:
            known.update(meanings)
        if text is not None:
            self.texts.setdefault(name, set()).add(text)
        elif not meanings:
            self.vague.add(name)

    def outward(self) -> Iterator[Scope]:
        """Yield the scopes a name is looked for in; a class's own is not seen by its methods."""
        scope: Scope | None = self
        while scope is not None:
            if scope is self or not scope.of_class:
                yield scope
            scope = scope.parent

    def look_up(self, name: str) -> Meanings:
        """Return what a name may stand for here."""
        stars: list[str] = []
        for scope in self.outward():
            if name in scope.bound:
                found = scope.bound[name]
                one = len(found) == 1 and name not in scope.vague
                return dict(found) if one else less_sure(found)
            stars += sorted(scope.stars)
        if stars and not hasattr(builtins, name):
            return dict.fromkeys((f"{module}.{name}" for module in stars), LIKELY)
        return {f"builtins.{name}": CERTAIN}

    def text(self, name: str) -> str | None:
        """Return the string a name stands for, None unless there is exactly one."""
        for scope in self.outward():
            if name in scope.bound:
                texts = scope.texts.get(name, set())
                return next(iter(texts)) if len(texts) == 1 else None
        return None


def less_sure(found: Meanings) -> Meanings:
    """Return meanings of which only one can be the right one."""
    return {name: LIKELY if sure == CERTAIN else sure for name, sure in found.items()}
