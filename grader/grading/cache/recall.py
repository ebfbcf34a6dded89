"""Which of the kept results a run may use, and what they cost it.

Tests are used or run in whole units. A result is used only with the results of all tests it
needs, and only where a run of every test would have left it its full CPU limit: what it came to
under a limit cut short could not be told from here.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property

from grader.grading.cache.entry import Entry
from grader.grading.collected import CollectedSuite, SandboxKind, TestSpec
from grader.report.report import Outcome, Report

Charge = tuple[float, float]  # CPU and idle seconds


class Recall:
    """The kept results that one grading run uses."""

    def __init__(
        self,
        suite: CollectedSuite,
        joint_files: frozenset[str],
        found: Mapping[str, Entry],
        run_cpu_seconds: float,
    ) -> None:
        """Choose among the results `found`; `run_cpu_seconds` is the limit of the whole run."""
        self._suite = suite
        self._joint_files = joint_files
        self._limit = run_cpu_seconds
        self._found = found
        self.served = self._chosen()

    @property
    def complete(self) -> bool:
        """Whether nothing is left to run."""
        return len(self.served) == len(self._suite.tests)

    @property
    def in_order(self) -> list[Entry]:
        """The results used, in the order of the suite's files."""
        return [self.served[test.id] for test in self._suite.tests if test.id in self.served]

    @property
    def pictures(self) -> dict[str, bytes]:
        """The pictures of the results used, by SHA-256."""
        return {
            name: base64.b64decode(data)
            for entry in self.in_order
            for name, data in entry.pictures.items()
        }

    @cached_property
    def charges(self) -> dict[str, Charge]:
        """What the results used would have cost before each test that is left to run."""
        run = [test for test in self._suite.tests if test.id not in self.served]
        moved_in = {test.kind for test in run}
        imports = sum(cpu for kind, cpu in self._imports().items() if kind not in moved_in)
        cpu, idle, charges = imports, 0.0, {}
        for test in self._suite.in_order:
            if test.id in self.served:
                cpu += self.served[test.id].report.cpu_seconds
                idle += self.served[test.id].kept.idle_seconds
            else:
                charges[test.id] = (cpu, idle)
        return charges

    def fits(self, report: Report) -> bool:
        """Tell whether each result used would have had its full limit in the run that was made."""
        fresh = sum(test.cpu_seconds for test in report.tests if not test.cached)
        around = max(0.0, report.cpu_seconds - fresh)  # importing the submission, above all
        run = [test.kind for test in self._suite.tests if test.id not in self.served]
        around += sum(cpu for kind, cpu in self._imports().items() if kind not in run)
        used = {test.id: test.cpu_seconds for test in report.tests}
        return not self._cut_short(self.served, used, around)

    def _chosen(self) -> dict[str, Entry]:
        """Drop results until those left fit together."""
        used = {name: entry.report.cpu_seconds for name, entry in self._found.items()}
        around = sum(self._imports().values())
        chosen = dict(self._found)
        while True:
            dropped = {test.id for test in self._suite.tests if not self._fits_in(test, chosen)}
            dropped |= set(self._cut_short(chosen, used, around))
            dropped &= chosen.keys()
            if not dropped:
                return chosen
            chosen = {name: entry for name, entry in chosen.items() if name not in dropped}

    def _fits_in(self, test: TestSpec, chosen: Mapping[str, Entry]) -> bool:
        together = (*test.needs, *self._suite.unit(test, self._joint_files))
        if not all(name in chosen for name in together):
            return False
        lost = any(chosen[name].report.outcome is not Outcome.PASSED for name in test.needs)
        return chosen[test.id].kept.blocked == lost

    def _cut_short(
        self, chosen: Mapping[str, Entry], used: Mapping[str, float], around: float
    ) -> Sequence[str]:
        """Return the results whose tests would not have had their full limit left."""
        spent, found = around, []
        for test in self._suite.in_order:
            entry = chosen.get(test.id)
            if entry and not entry.kept.blocked and self._limit - spent < test.cpu_seconds:
                found.append(test.id)
            spent += used.get(test.id, 0.0)
        return found

    def _imports(self) -> dict[SandboxKind, float]:
        """Return what importing the submission has cost, by kind of sandbox."""
        costs: dict[SandboxKind, float] = {}
        for test in self._suite.tests:
            if test.id in self._found:
                cost = self._found[test.id].kept.import_cpu_seconds
                costs[test.kind] = max(cost, costs.get(test.kind, 0.0))
        return costs
