"""What is known of a collected suite without collecting it again: its tests and their ties."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from grader.grading.harness.marks import TestSpec

Kind = tuple[tuple[str, ...], bool]


class PlannedTest(BaseModel):
    """One test as far as the cache needs to know it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    needs: tuple[str, ...]
    joint: bool  # keeps something from test to test: a process, or what its module's seed gave
    shown: bool  # runs before the hidden ones
    without: tuple[str, ...]
    cpu_seconds: float  # its limit

    @property
    def file(self) -> str:
        """The suite's file it stands in."""
        return self.id.partition("::")[0]

    @property
    def function(self) -> str:
        """Its name within the file, without parameters: ``test_a`` or ``TestA::test_b``."""
        return self.id.partition("::")[2].partition("[")[0]

    @property
    def kind(self) -> Kind:
        """Which of the run's sandboxes it uses."""
        return (self.without, self.shown)


class Plan(BaseModel):
    """The tests of a suite in the order of its files."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    tests: tuple[PlannedTest, ...]

    @classmethod
    def of(cls, specs: Iterable[TestSpec]) -> Plan:
        """Describe a collected suite."""
        return cls(
            tests=tuple(
                PlannedTest(
                    id=spec.id,
                    needs=spec.needs,
                    joint=spec.joint,
                    shown=spec.shown,
                    without=spec.without,
                    cpu_seconds=spec.cpu_seconds,
                )
                for spec in specs
            )
        )

    @cached_property
    def by_id(self) -> dict[str, PlannedTest]:
        """The tests by their ids."""
        return {test.id: test for test in self.tests}

    @property
    def in_order(self) -> list[PlannedTest]:
        """The tests as they are run: the visible ones first."""
        return sorted(self.tests, key=lambda test: not test.shown)

    def unit(self, test: PlannedTest, joint_files: frozenset[str] = frozenset()) -> tuple[str, ...]:
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
    def _joint(test: PlannedTest, joint_files: frozenset[str]) -> bool:
        return test.joint or test.file in joint_files

    def closure(
        self, test: PlannedTest, joint_files: frozenset[str] = frozenset()
    ) -> tuple[str, ...]:
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
