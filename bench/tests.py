"""Run the tests and tell what each file costs, the dearest first.

    python bench/tests.py
    python bench/tests.py --workers 1 --top 10 tests/grader/sandbox
    python bench/tests.py --keep

The table gives CPU seconds, wall seconds and tests of each file; counting/file_costs.py says what
is counted. --json keeps the table as data, --against holds this run against such data. --keep
writes the order of the files, by wall seconds, to tests/dearest_first.txt, which the tests are
started in. Other arguments go to pytest. The exit status is pytest's.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

COUNTING = Path(__file__).resolve().parent / "counting"
ROOT = COUNTING.parents[1]
ORDER = ROOT / "tests" / "dearest_first.txt"
FOLDER = "PROCTOR_FILE_COSTS"  # as in file_costs.py


@dataclass
class Cost:
    """What a test file cost, in every worker together."""

    cpu: float = 0.0
    wall: float = 0.0
    tests: int = 0


def run(workers: int, arguments: list[str]) -> tuple[int, dict[str, Cost], Cost]:
    """Run pytest; return its exit status, the costs by file and those of the whole run."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            FOLDER: folder,
            "PYTHONPATH": os.pathsep.join(filter(None, [str(COUNTING), os.getenv("PYTHONPATH")])),
            "OMP_NUM_THREADS": "1",
        }
        worker = f"{workers}*popen//python={COUNTING / 'reaping_python.py'}"
        command = [sys.executable, "-m", "pytest", "-p", "file_costs", "--tx", worker]
        command += ["--dist", "loadfile", "--no-loadscope-reorder"]
        began = time.monotonic()
        done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, check=False)
        wall = time.monotonic() - began
        costs = add_up(Path(folder).glob("*.jsonl"))
    cpu, tests = (
        sum(column) for column in zip(*((c.cpu, c.tests) for c in costs.values()), strict=True)
    )
    return done.returncode, costs, Cost(cpu, wall, tests)


def add_up(accounts: Iterable[Path]) -> dict[str, Cost]:
    """Return the costs by file; the processes' accounts may share a file."""
    costs: dict[str, Cost] = defaultdict(Cost)
    for account in accounts:
        for line in account.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            cost = costs[row["file"]]
            cost.cpu += row["cpu"]
            cost.wall += row["wall"]
            cost.tests += row["tests"]
    return dict(costs)


def dearest_first(costs: Mapping[str, Cost]) -> list[str]:
    """Return the files by wall seconds, which tell when a worker is free again."""
    return sorted(costs, key=lambda file: -costs[file].wall)


def table(costs: Mapping[str, Cost], whole: Cost, before: Mapping[str, Cost], top: int) -> str:
    """Lay the costs out; with figures of another run, its CPU seconds stand beside."""
    lines = [f"{'CPU s':>8} {'before':>8} {'wall s':>8} {'tests':>6}  file"]
    for file in dearest_first(costs)[:top]:
        lines.append(_line(file, costs[file], before))
    for file in dearest_first(before):
        if file not in costs and file != WHOLE:
            lines.append(_line(file, Cost(), before))
    lines.append(_line(WHOLE, whole, before))
    return "\n".join(lines)


WHOLE = "(the whole run)"


def _line(file: str, cost: Cost, before: Mapping[str, Cost]) -> str:
    then = f"{before[file].cpu:8.1f}" if file in before else " " * 8
    return f"{cost.cpu:8.1f} {then} {cost.wall:8.1f} {cost.tests:6}  {file}"


def read(file: Path | None) -> dict[str, Cost]:
    """Return the costs that --json has kept."""
    if file is None:
        return {}
    kept = json.loads(file.read_text(encoding="utf-8"))
    return {name: Cost(**cost) for name, cost in kept.items()}


def main() -> int:
    """Run, print the table, keep what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--top", type=int, help="show only so many files")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures here")
    parser.add_argument("--against", type=Path, metavar="FILE", help="figures of another run")
    parser.add_argument("--keep", action="store_true", help=f"write {ORDER.relative_to(ROOT)}")
    options, arguments = parser.parse_known_args()
    before = read(options.against)
    status, costs, whole = run(options.workers, arguments)
    print(table(costs, whole, before, options.top or len(costs)))
    if options.json:
        kept = {file: asdict(cost) for file, cost in {**costs, WHOLE: whole}.items()}
        options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if options.keep:
        dear = [
            file for file in dearest_first(costs) if costs[file].tests and costs[file].wall >= 2
        ]
        ORDER.write_text("".join(f"{file}\n" for file in dear), encoding="utf-8")
    return status


if __name__ == "__main__":
    sys.exit(main())
