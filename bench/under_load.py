"""Grade one submission again and again while other processes keep the cores busy.

    python bench/under_load.py --runs 20 --busy 8 fnn tests/submissions/clothes/fnn/plain

A score must not hang on who else computes: limits count CPU time, and what is drawn hangs on the
key alone. Grades the submission with one key, without a cache, and prints each run's score, its
wall and CPU seconds and the largest part of a CPU allowance that a test used. With `--at-once 9`
nine runs go on side by side, so that each has eight others beside it, which want memory and disk
as well. Exits with 1 unless every run gave the same score and the same outcome of every test.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from grader.grading import GradingPool
from grader.intake import receive
from grader.intake.submission import Submission
from grader.lab.catalogue import Catalogue, Lab
from grader.report import Report

HOME = Path(__file__).resolve().parents[1]
KEY = b"under load" * 3


@dataclass(frozen=True)
class Run:
    """What one grading came to, and what it cost."""

    score: float | None  # None: refused, or a fault of ours
    outcomes: tuple[tuple[str, str, float], ...]  # id, outcome and credit of each test
    wall_seconds: float
    cpu_seconds: float
    cpu_share: float  # the largest of all tests
    fault: str = ""

    @classmethod
    def of(cls, report: Report) -> Run:
        """Take from a report what is compared and told."""
        return cls(
            report.score,
            tuple((test.id, test.outcome.value, test.credit) for test in report.tests),
            report.wall_seconds,
            report.cpu_seconds,
            max((test.cpu_share for test in report.tests), default=0.0),
            report.fault,
        )

    def __str__(self) -> str:
        """Return the run's row of the table."""
        score = self.fault or ("refused" if self.score is None else f"{self.score:g}")
        costs = f"{self.wall_seconds:.0f} | {self.cpu_seconds:.1f} | {self.cpu_share:.0%}"
        return f"{score} | {costs}"


@contextmanager
def busy(count: int, niceness: int) -> Iterator[None]:
    """Keep `count` processes computing meanwhile."""
    spawn = multiprocessing.get_context("spawn")
    known = (niceness, os.getpid())
    loops = [spawn.Process(target=_compute, args=known, daemon=True) for _ in range(count)]
    for process in loops:
        process.start()
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.join()


def _compute(niceness: int, parent: int) -> None:
    """Compute until the process that started this one is gone, however it ended."""
    os.nice(niceness)
    while os.getppid() == parent:
        pass


def runs(
    pool: GradingPool, lab: Lab, submission: Submission, count: int, at_once: int
) -> Iterator[Run]:
    """Grade a submission `count` times, `at_once` side by side, with the same hidden inputs."""

    def grade(_: int) -> Run:
        return Run.of(pool.grade(lab, submission, key=KEY).report)

    with ThreadPoolExecutor(at_once) as threads:
        yield from threads.map(grade, range(count))


def differing(found: list[Run]) -> list[str]:
    """Name the runs, from 1, that are unlike the first, and the tests that came out otherwise."""
    first, said = found[0], []
    for number, run in enumerate(found[1:], 2):
        tests = sorted({test for test, *_ in set(first.outcomes) ^ set(run.outcomes)})
        if tests or run.score != first.score:
            said.append(f"run {number}: {run.score} instead of {first.score}; {', '.join(tests)}")
    return said


def main() -> None:
    """Print a row for each run, and what differed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lab")
    parser.add_argument("path", type=Path, help="the submission, as for `grader run`")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--busy", type=int, default=8, help="processes that compute meanwhile")
    parser.add_argument("--nice", type=int, default=0, help="of these processes")
    parser.add_argument("--at-once", type=int, default=1, help="runs side by side")
    options = parser.parse_args()
    lab = Catalogue(HOME).get(options.lab)
    submission = receive(options.path, lab.assignment)
    print("| run | score | wall s | CPU s | largest share |\n|---|---|---|---|---|")
    found = []
    with busy(options.busy, options.nice), GradingPool(jobs=options.at_once) as pool:
        graded = runs(pool, lab, submission, options.runs, options.at_once)
        for number, run in enumerate(graded, 1):
            found.append(run)
            print(f"| {number} | {run} |", flush=True)
    said = differing(found)
    same = len(found) - len(said)
    beside = options.busy + options.at_once - 1
    print(f"\n{same} of {len(found)} runs alike, each beside {beside} busy processes")
    print(*said, sep="\n")
    sys.exit(1 if said or any(run.fault for run in found) else 0)


if __name__ == "__main__":
    main()
