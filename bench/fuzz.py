"""Fuzz the wire's codec and the intake, in several processes, for as many executions as asked.

    python bench/fuzz.py --frames 1000000 --uploads 100000
    python bench/fuzz.py --replay build/fuzz/uploads-0/finding-uploads-0123456789ab
    python bench/fuzz.py --keep

What counts as a finding is in tests/fuzz/fuzzing: `frames.py` for the codec, `uploads.py` and
`names.py` for the intake. Each finding is a file under build/fuzz, with the broken promise and the
traceback in a .txt beside it; --replay runs it again. --keep takes the smallest inputs that
together reach all that the last run reached into the corpus of the tests.

Exit codes: 0 nothing found, 1 a finding, 2 wrong use.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "tests" / "fuzz"
CORPUS = HOME / "corpus"
sys.path[:0] = [str(ROOT), str(HOME)]

from fuzzing import minimise, shard  # noqa: E402

MOST_STARTS = 20  # of one shard: a crash of the interpreter ends a process, not the run
FOUND = ("finding-*", "crash-*", "timeout-*", "oom-*")  # the last three are libFuzzer's
TARGETS = ("frames", "uploads", "names")


@dataclass
class Sum:
    """What the shards of one target did together."""

    target: str
    executions: int = 0
    cpu_seconds: float = 0
    wall_seconds: float = 0
    edges: int = 0
    features: int = 0
    peak_mb: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    findings: list[Path] = field(default_factory=list)

    def add(self, folder: Path, log: str) -> None:
        """Add what one process left in its folder and said."""
        file = folder / "stats.json"
        stats = json.loads(file.read_text()) if file.exists() else {}
        self.executions += stats.get("executions", 0)
        self.cpu_seconds += stats.get("cpu_seconds", 0)
        self.peak_mb = max(self.peak_mb, stats.get("peak_mb", 0))
        self.outcomes.update(stats.get("outcomes", {}))
        for edges, features in re.findall(r"cov: (\d+) ft: (\d+)", log):
            self.edges = max(self.edges, int(edges))
            self.features = max(self.features, int(features))

    def __str__(self) -> str:
        rate = self.executions / max(self.cpu_seconds, 1e-9)
        outcomes = ", ".join(f"{count:,} {name}" for name, count in self.outcomes.most_common())
        return (
            f"{self.target}: {self.executions:,} executions ({outcomes})\n"
            f"  {self.cpu_seconds:,.0f} CPU s, {rate:,.0f} executions a CPU second, "
            f"{self.wall_seconds:,.0f} s of wall time, at most {self.peak_mb} MB a process\n"
            f"  {self.edges:,} edges, {self.features:,} features (the best process)\n"
            f"  {len(self.findings)} findings"
        )


def fuzz(target: str, executions: int, processes: int, seed: int, out: Path) -> Sum:
    """Run a target's shards side by side and add up what they did."""
    total = Sum(target)
    share = -(-executions // processes)
    began = time.monotonic()
    with ThreadPoolExecutor(processes) as pool:
        for number in range(processes):
            folder = out / f"{target}-{number}"
            folder.mkdir(parents=True, exist_ok=True)
            pool.submit(run_shard, total, share, seed + 1000 * number, folder)
    total.wall_seconds = time.monotonic() - began
    found = (file for what in FOUND for file in out.glob(f"{target}-*/{what}"))
    total.findings = sorted(file for file in found if file.suffix != ".txt")
    return total


def run_shard(total: Sum, executions: int, seed: int, folder: Path) -> None:
    """Run one shard, anew after a crash with what is left of its executions."""
    paths = os.pathsep.join([str(ROOT), str(HOME)])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    left = executions
    for start in range(MOST_STARTS):
        (folder / "stats.json").unlink(missing_ok=True)
        arguments = [total.target, left, seed + start, folder, CORPUS / total.target]
        done = subprocess.run(
            [sys.executable, "-m", "fuzzing.shard", *map(str, arguments)],
            capture_output=True, text=True, errors="replace", env=environment, check=False,
        )  # fmt: skip
        (folder / f"log-{start}.txt").write_text(done.stdout + done.stderr)
        before = total.executions
        total.add(folder, done.stderr)
        left -= total.executions - before
        if done.returncode == 0 or left <= 0:
            return
    click.echo(f"{folder}: gave up after {MOST_STARTS} starts; see its logs", err=True)


def replay(file: Path) -> bool:
    """Judge one file again and say what came of it; the target is named by the file or folder."""
    words = f"{file.resolve().parent.name} {file.name}"
    name = next(target for target in TARGETS if target in words)
    with tempfile.TemporaryDirectory() as scratch:
        target = shard.Target(name, Path(scratch))
        try:
            click.echo(f"{file.name}: {target.check(file.read_bytes(), closely=True)}")
        except Exception:
            click.echo(traceback.format_exc())
            return False
    return True


@click.command()
@click.option("--frames", default=0, help="Executions of the codec.")
@click.option("--uploads", default=0, help="Executions of the intake.")
@click.option("--names", default=0, help="Executions of what is said from names alone.")
@click.option("--processes", default=2, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "build" / "fuzz")
@click.option("--replay", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Take the last run's inputs into the tests' corpus.")
def main(
    frames: int, uploads: int, names: int, processes: int, seed: int, out: Path,
    file: Path | None, keep: bool,
) -> None:  # fmt: skip
    """Fuzz, replay a finding, or keep what was reached."""
    if file:
        sys.exit(0 if replay(file) else 1)
    if keep:
        for target in TARGETS:
            click.echo(minimise.keep(target, out, CORPUS / target))
        return
    found = 0
    for target, executions in zip(TARGETS, (frames, uploads, names), strict=True):
        if executions:
            total = fuzz(target, executions, processes, seed, out)
            found += len(total.findings)
            click.echo(total)
            for finding in total.findings:
                click.echo(f"    python bench/fuzz.py --replay {os.path.relpath(finding)}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
