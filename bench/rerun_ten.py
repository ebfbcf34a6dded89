"""Run ten entries of a competition again from source, as staff do before the result is written.

    python bench/rerun_ten.py
    python bench/rerun_ten.py --entries 3 --variant drawn

Draws a term of "wardrobe" and a fresh set. Nine teams change the starter's seed, length and width
and claim what it predicts for the term; the tenth claims the term's labels, a few of them wrong,
with the starter as source. Prints the table of `grader rerun`, and how long the re-runs took. Exits
with 1 unless it is the dishonest team alone that is told.
"""

from __future__ import annotations

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LAB = ROOT / "assignments/wardrobe/wardrobe"
STARTER = (LAB / "predict.py").read_text(encoding="utf-8")
DISHONEST, WRONG = "zz-leaked", 10  # one label in so many is wrong, lest it be too good to be true
HOLDS, BELOW = "holds", "below its claim"


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command on one thread and return what it printed and its status."""
    threads = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=cwd, env=threads, text=True, capture_output=True, check=False
    )


def grader(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call `grader` as a TA does."""
    return run(str(Path(sys.executable).with_name("grader")), *arguments)


def succeed(done: subprocess.CompletedProcess[str]) -> None:
    """Stop with what a command printed, if it failed."""
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


def source_of(team: int) -> str:
    """Return the starter as one honest team changed it."""
    changed = STARTER
    for old, new in {
        "SEED = 0": f"SEED = {team}",
        "EPOCHS = 8": f"EPOCHS = {4 + team % 5}",
        "64 * 4 * 4, 128": f"64 * 4 * 4, {64 * (1 + team % 3)}",
        "nn.Linear(128, len": f"nn.Linear({64 * (1 + team % 3)}, len",
    }.items():
        if old not in changed:
            sys.exit(f"the starter has no {old!r} any more: change it here, too")
        changed = changed.replace(old, new)
    return changed


def claims(drawn: Path, teams: int, home: Path) -> Iterator[tuple[str, str, str]]:
    """Yield each team's name, its source and the predictions that it claims, made at home."""
    shutil.copytree(LAB, home / LAB.name)
    shutil.copytree(drawn / "students", home / "data")
    for team in range(1, teams):
        source = source_of(team)
        (home / LAB.name / "predict.py").write_text(source, encoding="utf-8")
        succeed(run(sys.executable, "-m", f"{LAB.name}.predict", cwd=home))
        yield f"team-{team}", source, (home / "predictions.csv").read_text(encoding="utf-8")
    yield DISHONEST, STARTER, leaked(drawn / "staff/labels.csv")


def leaked(labels: Path) -> str:
    """Return the labels as predictions, each of a few moved on by one row."""
    lines = labels.read_text(encoding="utf-8").splitlines()
    rows = [line.split(",")[:3] for line in lines]
    for number in range(WRONG, len(rows) - 1, WRONG):
        rows[number] = [rows[number][0], *rows[number + 1][1:]]
    return "".join(",".join(row) + "\n" for row in rows)


def main() -> None:
    """Draw, enter, run again, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--entries", type=int, default=10)
    parser.add_argument("--variant", default="fashion_mnist")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        secret, finals = folder / "term.secret", folder / "finals"
        secret.write_text("5eed" * 8, encoding="utf-8")
        finals.mkdir()
        for place, number in (("drawn", "1"), ("fresh", "2")):
            options = ("--set", number, "--variant", chosen.variant, "--out", str(folder / place))
            succeed(grader("draw", "wardrobe", "--secret-file", str(secret), *options))
        for team, source, predictions in claims(folder / "drawn", chosen.entries, folder / "home"):
            (finals / f"{team}.csv").write_text(predictions, encoding="utf-8")
            with zipfile.ZipFile(finals / f"{team}.zip", "w") as archive:
                archive.writestr("wardrobe/predict.py", source)
        begun = time.monotonic()
        sets = ("--drawn", str(folder / "drawn"), "--fresh", str(folder / "fresh"))
        table = folder / "reruns.csv"
        done = grader("rerun", "wardrobe", str(finals), *sets, "--csv", str(table))
        minutes = (time.monotonic() - begun) / 60
        print(done.stdout + done.stderr)
        with table.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    verdicts = {row["team"]: row["verdict"] for row in rows}
    cpu = sum(float(row["cpu_s"]) for row in rows)
    print(f"{len(rows)} entries again in {minutes:.1f} minutes, {cpu:.0f} CPU s")
    told = [team for team, verdict in verdicts.items() if verdict != HOLDS]
    sys.exit(told != [DISHONEST] or verdicts[DISHONEST] != BELOW)


if __name__ == "__main__":
    main()
