"""The two sets of a re-run: the term's own, which teams know, and one that nobody has seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from grader.competition.drawn import Arrays, DrawnSet, read_drawn
from grader.errors import ProctorError
from grader.lab.competition import CompetitionRules


@dataclass(frozen=True)
class RerunSets:
    """What sources learn from, and what they are to predict."""

    term: DrawnSet  # with rows to train on
    fresh: DrawnSet


def read_sets(drawn: Path, fresh: Path, rules: CompetitionRules) -> RerunSets:
    """Read a term's set and a fresh one from the folders that they were drawn into.

    Raises ProctorError if one stands in the place of the other, or if they do not go together. It
    names folders and files, and no label.
    """
    term, new = read_drawn(drawn, rules), read_drawn(fresh, rules)
    if term.train is None:
        raise ProctorError(f"{drawn} holds no rows to train on; name the folder of set 1")
    if new.train is not None:
        raise ProctorError(f"{fresh} is a term's first set, the same rows that teams have seen")
    if _kinds(term.test) != _kinds(new.test):
        raise ProctorError(f"{drawn} and {fresh} hold other arrays; draw both of one competition")
    if all(np.array_equal(term.test[name], new.test[name]) for name in term.test):
        raise ProctorError(f"{fresh} holds the same rows that teams have seen; draw another set")
    return RerunSets(term, new)


def _kinds(arrays: Arrays) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return what an array has whatever rows it holds: kind of numbers and shape of a row."""
    return {name: (str(array.dtype), array.shape[1:]) for name, array in arrays.items()}
