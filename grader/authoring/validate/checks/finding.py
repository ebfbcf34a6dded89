"""A claim about a lab, and whether it held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Finding:
    """One claim and whether it held."""

    claim: str
    holds: bool
    detail: str = ""  # what was found instead, or the figures behind the claim

    @classmethod
    def unless(cls, claim: str, problems: Iterable[str]) -> Self:
        """Return a claim that holds unless there are problems."""
        found = list(problems)
        return cls(claim, not found, "\n".join(found))
