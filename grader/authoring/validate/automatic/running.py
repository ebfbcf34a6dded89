"""Run automatic mutants: each against the tests that it can lose, until it loses one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random

from grader.authoring.validate.automatic.aim import Aim
from grader.authoring.validate.automatic.explained import Explanation
from grader.authoring.validate.automatic.generation import AutomaticMutant
from grader.authoring.validate.automatic.results import Result, Results
from grader.grading import PartialRun
from grader.intake.submission import Submission
from grader.lab.catalogue import Lab

FirstLossOf = Callable[[Submission, tuple[str, ...]], PartialRun | str]

_PRIOR = 0.05  # kills of a test that has killed nothing yet
_FORK_SECONDS = 0.05  # what a test costs beside the student's code


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
class Progress:
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
    """Runs mutants of one lab, in order of what they are likely to lose."""

    def __init__(
        self,
        lab: Lab,
        reference: Submission,
        first_loss: FirstLossOf,
        *,
        key: bytes,
        costs: Mapping[str, float],
        results: Results,
    ) -> None:
        """Be ready to run mutants.

        `first_loss` runs tests in an order, under `key`, until one loses points; `costs` are the
        CPU seconds of the suite's tests on the reference, by id.
        """
        self._reference = reference
        self._first_loss = first_loss
        self._key = key
        self._costs = costs
        self._results = results
        self._aim = Aim(lab, reference)
        self._digests: dict[str, str] = {}

    def run(self, mutant: AutomaticMutant) -> Result | str:
        """Run one mutant, unless its result is known; a fault comes back as its text."""
        key = self._result_key(mutant)
        known = self._results.get(key)
        if known:
            return known
        order = self._order(mutant)
        submission = mutant.apply(self._reference)
        found = self._first_loss(submission, order)
        if isinstance(found, str):
            return found
        result = Result(
            key=key,
            path=mutant.path,
            function=mutant.function,
            killer=found.first_loss,
            outcome=found.outcomes[found.first_loss] if found.first_loss else None,
            cpu_seconds=round(found.cpu_seconds, 3),
        )
        self._results.add(result)
        return result

    def _result_key(self, mutant: AutomaticMutant) -> str:
        if mutant.path not in self._digests:
            self._digests[mutant.path] = self._aim.digest(mutant.path)
        text = self._digests[mutant.path].encode() + self._key + mutant.content
        return hashlib.sha256(text).hexdigest()

    def _order(self, mutant: AutomaticMutant) -> tuple[str, ...]:
        """Put first what kills most for its cost: what killed neighbours, then the own tests."""
        files = self._aim.files(mutant.path)
        kills = self._results.kills(mutant.path, mutant.function)

        def promise(name: str) -> float:
            place = files.index(name.partition("::")[0])
            return (kills.get(name, 0) + _PRIOR / (1 + place)) / (self._costs[name] + _FORK_SECONDS)

        aimed = [name for name in self._costs if name.partition("::")[0] in files]
        return tuple(sorted(aimed, key=promise, reverse=True))


def tally(
    runner: Runner,
    every: Iterable[AutomaticMutant],
    chosen: Sequence[AutomaticMutant],
    explained: Mapping[str, Explanation],
    *,
    jobs: int,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Tally:
    """Run the chosen mutants, explained ones last, and hold them against the explanations."""
    survived = 0
    found: dict[str, Result | str] = {}
    # What is explained costs most and is known to survive: news come first.
    ordered = sorted(chosen, key=lambda mutant: mutant.name in explained)
    with ThreadPoolExecutor(jobs) as threads:
        try:
            for mutant, result in zip(ordered, threads.map(runner.run, ordered), strict=True):
                found[mutant.name] = result
                lost = isinstance(result, str) or result.killed
                survived += not lost and mutant.name not in explained
                on_progress(Progress(len(found), len(ordered), survived))
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    pairs = [(mutant, found[mutant.name]) for mutant in chosen]
    killed = [m for m, r in pairs if not isinstance(r, str) and r.killed]
    alive = [m for m, r in pairs if not isinstance(r, str) and not r.killed]
    names = {mutant.name for mutant in every}
    dead = {mutant.name for mutant in killed}
    return Tally(
        killed=tuple(killed),
        explained=tuple(m for m in alive if m.name in explained),
        survived=tuple(m for m in alive if m.name not in explained),
        faults=tuple((m, r) for m, r in pairs if isinstance(r, str)),
        stale=tuple(
            name
            for name, one in explained.items()
            if name not in names or (name in dead and not one.by_chance)
        ),
    )
