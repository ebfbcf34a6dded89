"""Tests of an item, gathered for reading: the cases of one test that ended alike are one row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from grader.api import Outcome, StudentTest

_CASE = re.compile(r"^(?P<title>.*) \[(?P<case>[^\[\]]+)\]$")


@dataclass(frozen=True)
class TestGroup:
    """One or more cases of a test with the same outcome, reason and hint."""

    __test__ = False

    title: str
    cases: tuple[str, ...]  # names of the cases; empty for a test without cases
    tests: tuple[StudentTest, ...]

    @property
    def first(self) -> StudentTest:
        """The test that stands for all: outcome, reason and hint are the same."""
        return self.tests[0]

    @property
    def score(self) -> float:
        """Points of all cases together."""
        return round(sum(test.score for test in self.tests), 4)

    @property
    def max_score(self) -> float:
        """What all cases together can earn."""
        return round(sum(test.max_score for test in self.tests), 4)

    @property
    def in_full(self) -> bool:
        """Whether nothing was lost here."""
        return self.score >= self.max_score and self.first.outcome is Outcome.PASSED


def grouped(tests: Iterable[StudentTest]) -> list[TestGroup]:
    """Gather tests; those that lost points come first, otherwise the order stays."""
    gathered: dict[tuple[object, ...], list[tuple[str, StudentTest]]] = {}
    for test in tests:
        match = _CASE.match(test.title)
        title, case = (match["title"], match["case"]) if match else (test.title, "")
        # A test shown with its details stands alone: each has its own.
        alone = test.number if test.open or not match else 0
        key = (title, test.outcome, test.reason, test.hint, test.mend_first, alone)
        gathered.setdefault(key, []).append((case, test))
    groups = [_group(str(key[0]), cases) for key, cases in gathered.items()]
    return sorted(groups, key=lambda group: group.in_full)


def _group(title: str, cases: list[tuple[str, StudentTest]]) -> TestGroup:
    names = tuple(case for case, _ in cases if case)
    return TestGroup(title, names, tuple(test for _, test in cases))
