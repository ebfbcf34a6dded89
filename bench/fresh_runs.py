"""Grade the references under keys that no calibration has seen, and count the tests they lose.

    python bench/fresh_runs.py --minutes 60 fnn cnn gcn

Bars were put where the calibrated runs allow it, so those runs say too little against them. Each
round runs, for every variant of each lab, the tests that `grader calibrate` found to measure
something, with new hidden inputs. Prints what was lost, under which key, and what as many runs
prove by counting alone: an upper bound of the share lost, whatever the figures' distribution.
Exits with 1 if a test was lost or a run could not be made.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import secrets
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from grader.authoring import reference_submission
from grader.authoring.calibrate import load_calibration
from grader.authoring.calibrate.bounds import free_bound
from grader.errors import GradingError
from grader.grading import GradingPool
from grader.intake.submission import Submission
from grader.lab.catalogue import Catalogue, Lab
from grader.report import Outcome

HOME = Path(__file__).resolve().parents[1]
CONFIDENCE = 0.95


@dataclass
class Row:
    """One variant of a lab, and what its runs came to."""

    lab: Lab
    variant: str | None
    tests: tuple[str, ...]
    reference: Submission
    runs: int = 0
    cpu_seconds: float = 0.0
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)  # of ours

    @property
    def name(self) -> str:
        """The lab and its variant."""
        return " ".join(filter(None, (self.lab.assignment.slug, self.variant)))

    def run(self, pool: GradingPool, label: str, number: int) -> None:
        """Grade the reference once more."""
        key = hashlib.sha256(f"{label} {number}".encode()).digest()
        try:
            found = pool.run_tests(
                self.lab, self.reference, self.tests, key=key, variant=self.variant
            )
        except GradingError as error:
            self.faults.append(f"{number}: {error}")
            return
        self.runs += 1
        self.cpu_seconds += found.cpu_seconds
        self.lost += [
            f"{number}: {test}"
            for test in self.tests
            if found.outcomes.get(test) is not Outcome.PASSED
        ]

    def told(self) -> str:
        """Return the row of the table."""
        runs_lost = len({one.partition(":")[0] for one in self.lost})
        bound = f"{free_bound(runs_lost, self.runs, CONFIDENCE):.1%}" if self.runs else ""
        mean = f"{self.cpu_seconds / max(self.runs, 1):.1f}"
        cells = (self.name, len(self.tests), self.runs, runs_lost, bound, mean)
        return f"| {' | '.join(map(str, cells))} |"


def rows(slugs: list[str]) -> Iterator[Row]:
    """Yield every variant of the labs, with the tests that measure something."""
    for slug in slugs:
        lab = Catalogue(HOME).get(slug)
        calibration = load_calibration(lab)
        if calibration is None:
            raise SystemExit(f"{slug} has no calibration: run `grader calibrate {slug}` first")
        every = dict.fromkeys(test for runs in calibration.variants for test in runs.tests)
        for runs in calibration.variants:
            yield Row(lab, runs.variant, tuple(every), reference_submission(lab, runs.variant))


def main() -> None:
    """Run rounds until the time is over, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("labs", nargs="+")
    parser.add_argument("--minutes", type=float, default=60, help="start no round after this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--label", default=secrets.token_hex(4), help="of the keys, to repeat them")
    options = parser.parse_args()
    table = list(rows(options.labs))
    end = time.monotonic() + 60 * options.minutes
    number = 0
    with GradingPool(jobs=options.jobs) as pool, ThreadPoolExecutor(options.jobs) as threads:
        while time.monotonic() < end:
            for run in [threads.submit(row.run, pool, options.label, number) for row in table]:
                run.result()
            number += 1
    print(f"keys: {options.label}; bound: at {CONFIDENCE:.0%}, of runs that lose a test\n")
    print("| lab, variant | tests | runs | lose one | at most | CPU s a run |")
    print("|---|---|---|---|---|---|")
    for row in table:
        print(row.told())
    for row in table:
        for said in (*row.lost, *row.faults):
            print(f"{row.name}, run {said}")
    sys.exit(1 if any(row.lost or row.faults for row in table) else 0)


if __name__ == "__main__":
    main()
