"""Run automatic mutants: each against the tests that can see it, until it loses one."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from grader.authoring.validate.automatic.coverage import Coverage
from grader.authoring.validate.automatic.explained import Equivalence
from grader.authoring.validate.automatic.generation import AutomaticMutant
from grader.authoring.validate.kept import TestResult
from grader.errors import GradingError
from grader.intake.submission import Submission
from grader.report.report import Outcome

FirstLossOf = Callable[[Submission, tuple[str, ...]], tuple[str, TestResult] | None]

_PRIOR = 0.05  # kills of a test that has killed nothing yet
_FORK_SECONDS = 0.05  # what a test costs beside the student's code


@dataclass(frozen=True)
class MutantResult:
    """What one mutant came to."""

    killer: str | None = None  # the test it lost; None if it lost none
    outcome: Outcome | None = None  # of that test
    fault: str = ""  # why it could not be run: the suite tripped over it

    @property
    def killed(self) -> bool:
        """Whether a test was lost."""
        return self.killer is not None


@dataclass(frozen=True)
class Tally:
    """What a set of mutants came to, each in the order of the files."""

    killed: tuple[AutomaticMutant, ...]
    explained: tuple[AutomaticMutant, ...]
    survived: tuple[AutomaticMutant, ...]
    faults: tuple[tuple[AutomaticMutant, str], ...]  # the suite tripped over them: ours to mend
    stale: tuple[str, ...]  # explanations of mutants that are gone, or killed

    @property
    def count(self) -> int:
        """How many mutants were run."""
        return len(self.killed) + len(self.explained) + len(self.survived) + len(self.faults)

    @property
    def share(self) -> float:
        """The killed among those that are not equivalent; 1 if there are none."""
        told_apart = self.count - len(self.explained)
        return len(self.killed) / told_apart if told_apart else 1.0


@dataclass(frozen=True)
class MutantProgress:
    """How far the mutants are."""

    done: int
    total: int
    survived: int


def sample(mutants: Sequence[AutomaticMutant], count: int | None) -> list[AutomaticMutant]:
    """Return `count` of the mutants, always the same ones, in their order; all if it is None."""
    if count is None or count >= len(mutants):
        return list(mutants)
    chosen = Random(0).sample(range(len(mutants)), count)  # noqa: S311 - nothing is secret here
    return [mutants[place] for place in sorted(chosen)]


class Runner:
    """Runs mutants of one reference, each on what it is likely to lose first."""

    def __init__(
        self,
        reference: Submission,
        first_loss: FirstLossOf,
        coverage: Coverage,
        costs: Mapping[str, float],
    ) -> None:
        """Be ready to run mutants.

        `first_loss` runs tests in an order until one loses points; `coverage` says which tests
        can see a mutant; `costs` are the CPU seconds of the suite's tests on the reference, by id.
        """
        self._reference = reference
        self._first_loss = first_loss
        self._coverage = coverage
        self._costs = costs
        self._guard = threading.Lock()
        self._kills: Counter[tuple[str, str, str]] = Counter()  # by path, function and test

    def run(self, mutant: AutomaticMutant) -> MutantResult:
        """Run one mutant on the tests that can see it; it survives if there are none."""
        order = self._order(mutant)
        try:
            lost = self._first_loss(mutant.apply(self._reference), order) if order else None
        except GradingError as error:
            return MutantResult(fault=str(error))
        if lost is None:
            return MutantResult()
        killer, result = lost
        with self._guard:
            self._kills[mutant.path, mutant.function, killer] += 1
        return MutantResult(killer, result.outcome)

    def _order(self, mutant: AutomaticMutant) -> tuple[str, ...]:
        """Put first what kills most for its cost: what killed neighbours, then what is cheap."""
        with self._guard:
            kills = dict(self._kills)

        def promise(test: str) -> float:
            known = kills.get((mutant.path, mutant.function, test), 0)
            return (known + _PRIOR) / (self._costs[test] + _FORK_SECONDS)

        return tuple(sorted(self._coverage.tests(mutant), key=promise, reverse=True))


def tally(
    runner: Runner,
    every: Iterable[AutomaticMutant],
    chosen: Sequence[AutomaticMutant],
    explained: Mapping[str, Equivalence],
    *,
    jobs: int,
    on_progress: Callable[[MutantProgress], None] = lambda progress: None,
) -> Tally:
    """Run the chosen mutants, explained ones last, and hold them against the explanations."""
    survived = 0
    found: dict[str, MutantResult] = {}
    # What is explained costs most and is known to survive: news come first.
    ordered = sorted(chosen, key=lambda mutant: mutant.name in explained)
    with ThreadPoolExecutor(jobs) as threads:
        try:
            for mutant, result in zip(ordered, threads.map(runner.run, ordered), strict=True):
                found[mutant.name] = result
                lost = result.killed or result.fault
                survived += not lost and mutant.name not in explained
                on_progress(MutantProgress(len(found), len(ordered), survived))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    pairs = [(mutant, found[mutant.name]) for mutant in chosen]
    killed = [m for m, r in pairs if r.killed]
    alive = [m for m, r in pairs if not r.killed and not r.fault]
    names = {mutant.name for mutant in every}
    dead = {mutant.name for mutant in killed}
    return Tally(
        killed=tuple(killed),
        explained=tuple(m for m in alive if m.name in explained),
        survived=tuple(m for m in alive if m.name not in explained),
        faults=tuple((m, r.fault) for m, r in pairs if r.fault),
        stale=tuple(
            name
            for name, one in explained.items()
            if name not in names or (name in dead and not one.by_chance)
        ),
    )
