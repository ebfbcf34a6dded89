"""Grade wrong solutions of a lab as wholes, and print what each of them earns.

    GRADER_DATA=... python bench/wrong_ideas.py text study_is_a_formula head_alone
    python bench/wrong_ideas.py gan --variant synthetic --only study

`grader validate` asks whether a wrong solution loses the test that it must lose; this asks what it
gets in the end. Names are those of reference/LAB/mutants and reference/LAB/baselines; --only takes
all whose names begin so. The reference itself comes first. Prints a table in Markdown, with points
by part and the items that lost some.
"""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grader.authoring import reference_submission
from grader.authoring.calibrate.calibration import BASELINES
from grader.authoring.mutants import Mutant, WrongSolution, load_wrong
from grader.grading import GradingPool
from grader.intake.submission import Submission
from grader.lab.catalogue import Catalogue, Lab
from grader.report import ItemReport, Report, RunStatus

HOME = Path(__file__).resolve().parents[1]
FOLDERS = {Mutant: "mutants", WrongSolution: BASELINES}


def wrong_solutions(lab: Lab) -> dict[str, WrongSolution]:
    """Return the lab's mutants and baselines by name."""
    assert lab.reference is not None
    return {
        wrong.name: wrong
        for kind in (Mutant, WrongSolution)
        for wrong in load_wrong(lab.reference / FOLDERS[kind], kind)
    }


def chosen(
    lab: Lab, names: list[str], only: str | None, variant: str | None
) -> Iterator[Submission]:
    """Yield the reference and the wrong solutions that were asked for."""
    known, reference = wrong_solutions(lab), reference_submission(lab, variant)
    yield reference
    if missing := [name for name in names if name not in known]:
        raise SystemExit(f"no wrong solution of {lab.assignment.slug}: {', '.join(missing)}")
    begun = [name for name in known if only and name.startswith(only)]
    for name in dict.fromkeys([*names, *begun]):
        yield known[name].apply(reference)


def told(report: Report) -> str:
    """Return the row of one solution."""
    if report.status is not RunStatus.GRADED:
        return f"| {report.submission} | {report.status}: {report.fault or report.messages} | | |"
    parts = ", ".join(f"{part.id} {part.score:.2f}" for part in report.parts if part.max_score)
    losses = [loss(item) for part in report.parts for item in part.items if lost(item)]
    score = f"{report.score:.2f} of {report.max_score:g}"
    return f"| {report.submission} | {score} | {parts} | {', '.join(losses)} |"


def lost(item: ItemReport) -> float:
    """Return the points that tests took from an item."""
    return 0.0 if item.score is None else round(item.max_score - item.score, 3)


def loss(item: ItemReport) -> str:
    """Return an item's name and what it lost of how much."""
    return f"{item.id} {lost(item):.2f} of {item.max_score:g}"


def main() -> None:
    """Grade and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("lab")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--only", metavar="PREFIX")
    parser.add_argument("--variant")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_intermixed_args()  # names may follow an option
    lab = Catalogue(HOME).get(options.lab)
    key = hashlib.sha256(b"wrong ideas").digest()
    print("| solution | points | by part | lost |\n|---|---|---|---|", flush=True)
    with GradingPool(jobs=options.jobs) as pool, ThreadPoolExecutor(options.jobs) as threads:
        for run in threads.map(
            lambda work: pool.grade(lab, work, key=key, variant=options.variant).report,
            chosen(lab, options.names, options.only, options.variant),
        ):
            print(told(run), flush=True)


if __name__ == "__main__":
    main()
