"""Grade uploads that try to cost the trusted side the most, and hold what they cost to the limits.

    python bench/hostile.py
    python bench/hostile.py --lab fnn --only wide-layers,prints
    python bench/hostile.py --home tests/attacks/home --lab tiny
    python bench/hostile.py --slow

Each upload goes through intake and, if it is taken, is graded with the lab's hidden suite, as a
portal's worker would. Counted are CPU seconds and peak memory of everything but the sandboxes: the
reader of uploads, the grading server and the run's trusted process; and how long the worker was
held. An upload that goes beyond a stated limit is named, and the exit code is 1. With --slow also
those run that do nothing but wait; each holds its worker for ten minutes and more.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from costly.meter import Cost, Meter
from costly.uploads import UPLOADS, Costly

from grader.authoring import reference_submission
from grader.errors import Rejected
from grader.grading import GradingPool
from grader.intake import Submission, receive_bytes, receive_files
from grader.lab.catalogue import Catalogue, Lab
from grader.lab.manifest import Limits

ROOT = Path(__file__).resolve().parents[1]
KEY = b"hostile uploads, always the same"
# Intake parses in a child of 1 GiB and 10 CPU seconds, and may do so for sources and for notebooks.
INTAKE_CPU, INTAKE_MB = 30.0, 1_100.0
LEAST_MB = 1_024.0  # of a trusted process; `trusted.py`
SHARED_MB = 300.0  # of a server, which each fork counts again as soon as it touches it
GRACE = (
    15.0  # CPU seconds: the computation that is under way when the limit is reached, and a report
)


@dataclass
class Line:
    """What one upload came to."""

    upload: Costly
    verdict: str = ""
    intake: Cost = field(default_factory=Cost)
    grading: Cost = field(default_factory=Cost)

    def excesses(self, limits: Limits) -> Iterator[str]:
        """Say which stated limit it went beyond."""
        most_mb = max(LEAST_MB, limits.memory_mb) + SHARED_MB
        for what, has, most in (
            ("CPU s of intake", self.intake.cpu, INTAKE_CPU),
            ("MiB of intake", self.intake.peak_mb, INTAKE_MB),
            ("CPU s of grading", self.grading.cpu, limits.cpu_seconds + GRACE),
            ("MiB of grading", self.grading.peak_mb, most_mb),
            ("s held", self.grading.wall, limits.longest_hold_seconds + GRACE),
        ):
            if has > most:
                yield f"{self.upload.name}: {has:.0f} {what}, and the limit is {most:.0f}"


def main() -> None:
    """Try the uploads, print a table, and exit with 1 if one went beyond a limit."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lab", default="fnn")
    parser.add_argument("--home", type=Path, default=ROOT, help="the course that has the lab")
    parser.add_argument("--only", default="", help="names of uploads, with commas between them")
    parser.add_argument("--slow", action="store_true", help="also those that only wait")
    options = parser.parse_args()
    lab = Catalogue(options.home).get(options.lab)
    chosen = _chosen(set(filter(None, options.only.split(","))), options.slow)
    limits = lab.assignment.limits
    print(f"{lab.assignment.slug}: {limits.cpu_seconds:g} CPU s a run, {limits.memory_mb} MB,")
    print(f"held at most {limits.longest_hold_seconds:.0f} s\n")
    print("| upload | intake CPU s | MiB | grading CPU s | MiB | held s | came to |")
    print("|---|---:|---:|---:|---:|---:|---|", flush=True)
    excesses = [excess for line in measure(lab, chosen) for excess in line.excesses(limits)]
    print()
    print("\n".join(excesses) or "Nothing went beyond a limit.")
    sys.exit(bool(excesses))


def _chosen(names: set[str], slow: bool) -> list[Costly]:
    unknown = names - {upload.name for upload in UPLOADS}
    if unknown:
        sys.exit(f"no upload is called {', '.join(sorted(unknown))}")
    if names:
        return [upload for upload in UPLOADS if upload.name in names]
    return [upload for upload in UPLOADS if slow or not upload.slow]


def measure(lab: Lab, uploads: Sequence[Costly]) -> Iterator[Line]:
    """Yield what each upload came to, on servers that are warm before the first one."""
    meter = Meter()
    with GradingPool() as pool:
        receive_files(
            [(f.path, f.content) for f in reference_submission(lab).files], lab.assignment
        )
        pool.collected(lab)
        for upload in uploads:
            line = Line(upload)
            _try(line, lab, pool, meter)
            a, b = line.intake, line.grading
            print(
                f"| {upload.name}: {upload.does} | {a.cpu:.1f} | {a.peak_mb:.0f} | {b.cpu:.1f} "
                f"| {b.peak_mb:.0f} | {b.wall:.0f} | {line.verdict} |",
                flush=True,
            )
            yield line


def _try(line: Line, lab: Lab, pool: GradingPool, meter: Meter) -> None:
    files = line.upload.make(lab)
    try:
        with meter.over() as line.intake:
            submission = _received(files, lab)
    except Rejected as rejected:
        line.verdict = f"refused: {rejected.reasons[0][:60]}"
        return
    with meter.over() as line.grading:
        report = pool.grade(lab, submission, key=KEY).report
    score = "" if report.score is None else f" {report.score:g} of {report.max_score:g}"
    pending = f", {report.pending_score:g} open" if report.pending_score else ""
    line.verdict = f"{report.status.value}{score}{pending}"


def _received(files: Sequence[tuple[str, bytes]], lab: Lab) -> Submission:
    if len(files) == 1:
        ((name, data),) = files
        return receive_bytes(name, data, lab.assignment)
    return receive_files(list(files), lab.assignment)


if __name__ == "__main__":
    main()
