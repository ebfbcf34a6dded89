"""What is known of a suite once pytest has collected it: its tests, in order, and their ties.

It stands for the suite wherever that is not collected: in the caller's process and in the cache.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from grader.report.report import Visibility


class SandboxKind(NamedTuple):
    """What tells a run's sandboxes apart."""

    without: tuple[str, ...]  # libraries hidden in it
    shown: bool  # for visible tests: no hidden input ever enters it


class TestSpec(BaseModel):
    """One collected test: what it serves, who may see it, what it may use."""

    __test__ = False

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str  # file::function[parameters]
    item: str
    title: str
    cpu_seconds: float  # its limit
    weight: float = 1.0
    visibility: Visibility = Visibility.HIDDEN
    hint: str = ""
    needs: tuple[str, ...] = ()
    without: tuple[str, ...] = ()  # libraries hidden from its sandbox
    shares: bool = False  # uses the module's shared student process
    joint: bool = False  # keeps that process, or what the module's seed gave, from test to test

    @property
    def file(self) -> str:
        """The suite's file it stands in."""
        return self.id.partition("::")[0]

    @property
    def function(self) -> str:
        """Its name within the file, without parameters: ``test_a`` or ``TestA::test_b``."""
        return self.id.partition("::")[2].partition("[")[0]

    @property
    def shown(self) -> bool:
        """Whether students see what it prints; such tests run first, in sandboxes of their own."""
        return self.visibility is Visibility.VISIBLE

    @property
    def kind(self) -> SandboxKind:
        """Which of the run's sandboxes it uses."""
        return SandboxKind(self.without, self.shown)


class CollectedSuite(BaseModel):
    """The tests of a suite in the order of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    tests: tuple[TestSpec, ...]

    @cached_property
    def by_id(self) -> dict[str, TestSpec]:
        """The tests by their ids."""
        return {test.id: test for test in self.tests}

    @property
    def in_order(self) -> list[TestSpec]:
        """The tests as they are run: the visible ones first."""
        return sorted(self.tests, key=lambda test: not test.shown)

    def unit(self, test: TestSpec, joint_files: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return the ids of the tests that are run with this one or not at all.

        Of a file in `joint_files` every test counts as joint.
        """
        if not self._joint(test, joint_files):
            return (test.id,)
        return tuple(
            other.id
            for other in self.tests
            if other.file == test.file and self._joint(other, joint_files)
        )

    @staticmethod
    def _joint(test: TestSpec, joint_files: frozenset[str]) -> bool:
        return test.joint or test.file in joint_files

    def closure(self, test: TestSpec, joint_files: frozenset[str] = frozenset()) -> tuple[str, ...]:
        """Return all tests that this one's result may depend on, itself included, sorted."""
        found: set[str] = set()
        more = [test.id]
        while more:
            name = more.pop()
            if name not in found:
                found.add(name)
                one = self.by_id[name]
                more += [*one.needs, *self.unit(one, joint_files)]
        return tuple(sorted(found))
