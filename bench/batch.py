"""Grade a batch of whole `fnn` submissions and say what of it was the students' own computing.

    python bench/batch.py --count 200

Half of the batch is right (the reference, each with a line of its own, so that none is like
another), the rest are the lab's mutants: wrong in one place, which is what most handed-in work is.
`grader run` grades them as a teaching assistant would, on all processors. Its whole process tree
is metered; the students' own share is what the reports say was used inside the sandboxes, imports
and test forks included.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from crowd import submissions
from overhead.meter import Usage, run_metered

from grader.lab.catalogue import Catalogue

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 3 * 3600.0  # seconds for the whole batch


def main() -> None:
    """Build the batch, grade it, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--lab", default="fnn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    lab = Catalogue(ROOT).get(options.lab)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for submission in submissions(lab, options.count):
            submission.write_to(folder / "in" / submission.name)
        out, log = folder / "reports.json", folder / "log"
        grader = str(Path(sys.executable).with_name("grader"))
        command = [grader, "run", "--assignment", options.lab]
        command += ["--jobs", str(options.jobs), "--json", str(out), "--no-cache"]
        command.append(str(folder / "in"))
        usage = run_metered(command, cwd=ROOT, environ=dict(os.environ), limit=LIMIT, log=log)
        if usage.exit_code != 0:
            sys.exit(log.read_text(errors="replace")[-3000:])
        reports = json.loads(out.read_text())
    print(f"{len(reports)} submissions of {options.lab}, {options.jobs} at a time")
    tell(reports, usage)


def tell(reports: list[dict[str, Any]], usage: Usage) -> None:
    """Print what the batch came to."""
    count = len(reports)
    own = [report["cpu_seconds"] for report in reports]
    beyond = usage.cpu - sum(own)
    full = sum(all(test["credit"] == 1 for test in report["tests"]) for report in reports)
    graded = sum(report["score"] is not None for report in reports)
    print(f"{graded} graded, {full} of them with every machine-marked point")
    print(f"wall {usage.wall:.0f} s: {60 * count / usage.wall:.1f} a minute")
    print(f"CPU {usage.cpu:.0f} s; own {sum(own):.0f} s, median {statistics.median(own):.2f} s")
    print(f"outside the students' own: {100 * beyond / usage.cpu:.1f} %", end=", ")
    print(f"{beyond / count:.2f} s for each submission")
    print(f"peak memory {usage.peak_mb:.0f} MiB; others used {usage.foreign_cpu:.0f} CPU s")


if __name__ == "__main__":
    main()
