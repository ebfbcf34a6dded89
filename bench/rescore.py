"""Change one test of a suite and measure what grading everybody again costs, and who moves.

    python bench/rescore.py --count 200

A batch of `fnn` submissions is graded with an empty cache, then once more with nothing changed.
Then the test that most of them lost is switched off in a copy of the course, as one would do with
a test found unfair; the batch is graded again, and ``grader rescore`` tells who moves and why.
Each command's whole process tree is metered.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import batch
from crowd import submissions
from overhead.meter import Usage, run_metered

from grader.lab.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 3 * 3600.0  # seconds for one command


@dataclass(frozen=True)
class Bench:
    """Runs ``grader`` on one batch, in one folder."""

    folder: Path
    lab: str
    jobs: int

    def grader(self, home: Path, *arguments: str, allowed: tuple[int, ...] = (0,)) -> Usage:
        """Run a command of ``grader`` at home in a folder; stop the bench if it fails."""
        environ = {
            **os.environ,
            "GRADER_HOME": str(home),
            "GRADER_CACHE": str(self.folder / "cache"),
            "GRADER_KEY": "ab" * 32,
            "COLUMNS": "110",
        }
        command = [str(Path(sys.executable).with_name("grader")), *arguments]
        log = self.folder / "log"
        usage = run_metered(command, cwd=ROOT, environ=environ, limit=LIMIT, log=log)
        if usage.exit_code not in allowed:
            sys.exit(log.read_text(errors="replace")[-3000:])
        return usage

    def run(self, home: Path) -> tuple[Usage, list[dict[str, Any]]]:
        """Grade the batch and return the reports."""
        out = self.folder / "reports.json"
        usage = self.grader(
            home, "run", self.lab, "--jobs", str(self.jobs), "--json", str(out), self.batch
        )
        return usage, json.loads(out.read_text())

    @property
    def batch(self) -> str:
        """Where the submissions lie."""
        return str(self.folder / "in")


def copy_of(lab: str, target: Path) -> Path:
    """Copy one lab of the course, and the data loaders that labs share."""
    for name in (f"assignments/{lab}", f"reference/{lab}", "reference/datasets"):
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
    return target


def most_lost(reports: list[dict[str, Any]]) -> str:
    """Return the test function that most submissions lost, without parameters."""
    lost: Counter[str] = Counter()
    for report in reports:
        lost.update({t["id"].partition("[")[0] for t in report["tests"] if t["credit"] < 1})
    if not lost:
        sys.exit("nobody lost a test; take more submissions")
    return lost.most_common(1)[0][0]


def switch_off(suite: Path, test: str) -> None:
    """Let a test end before it asks anything."""
    name, _, function = test.partition("::")
    file = suite / name
    text = file.read_text()
    found = [n for n in ast.parse(text).body if getattr(n, "name", "") == function]
    docstring = found[0].body[0]  # type: ignore[attr-defined]
    lines = text.splitlines(keepends=True)
    lines.insert(docstring.end_lineno, "    return\n")
    file.write_text("".join(lines))


def fresh(reports: list[dict[str, Any]]) -> Counter[str]:
    """Count which test functions were run, and not taken from the cache."""
    return Counter(
        test["id"].partition("[")[0]
        for report in reports
        for test in report["tests"]
        if not test["cached"]
    )


def main() -> None:
    """Grade, change, grade again, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--lab", default="fnn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), options.lab, options.jobs)
        before = copy_of(options.lab, bench.folder / "before")
        after = copy_of(options.lab, bench.folder / "after")
        for submission in submissions(Catalogue(before).get(options.lab), options.count):
            submission.write_to(bench.folder / "in" / submission.name)
        print(f"{options.count} submissions of {options.lab}, {options.jobs} at a time")
        compare(bench, before, after)


def compare(bench: Bench, before: Path, after: Path) -> None:
    """Print what each step costs, and what changes."""
    cold, reports = bench.run(before)
    tell("every test", cold, cold, reports)
    batch.tell(reports, cold)
    warm, reports = bench.run(before)
    tell("nothing changed", warm, cold, reports)
    test = most_lost(reports)
    switch_off(after / "reference" / bench.lab / "suite", test)
    changed, reports = bench.run(after)
    tell("one test changed", changed, cold, reports)
    print(f"  changed: {test}; run: {dict(fresh(reports))}")
    against = ("--against", str(before), "--jobs", str(bench.jobs))
    usage = bench.grader(after, "rescore", bench.lab, bench.batch, *against, allowed=(0, 1))
    tell("rescore", usage, cold, None)
    print((bench.folder / "log").read_text().partition("After (this suite)")[2])


def tell(what: str, usage: Usage, whole: Usage, reports: list[dict[str, Any]] | None) -> None:
    """Print one step's cost, beside that of the whole."""
    ran = "" if reports is None else f", {sum(fresh(reports).values())} tests run"
    print(
        f"{what}: CPU {usage.cpu:.1f} s ({100 * usage.cpu / whole.cpu:.1f} %), "
        f"wall {usage.wall:.1f} s ({100 * usage.wall / whole.wall:.1f} %){ran}",
        flush=True,
    )


if __name__ == "__main__":
    main()
