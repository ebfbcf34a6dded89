"""Grade without end while processes are killed at random, then look for anything left behind.

    python bench/soak.py --runs 500

A driver keeps a worker process grading the tests' small lab, two submissions at a time, and every
few seconds sends SIGKILL to one process: the worker itself, its grading server, a trusted run, a
zygote, bubblewrap, or a process inside a sandbox. Each report must have full marks or be a fault
of ours, or name as crashed the tests whose own process was killed; anything else is a finding.
At the end one more worker runs undisturbed, as the next start would, and then there must be no
process, control group, mount or temporary folder of all these left.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from grader.authoring import reference_submission
from grader.grading import GradingProgress
from grader.grading.batch import Settings, run_batch
from grader.intake.exports import HandIn
from grader.lab.catalogue import Catalogue
from grader.report import Report
from grader.sandbox import best_tier, cgroup

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "tests" / "home"
KEY = b"soak" * 8
JOBS = 2
FULL = "full marks"
# To the trusted side a sandbox's process that is killed from outside has crashed; tests that need
# a crashed one do not run.
EXPECTED = {FULL, "grader_error", "lost to crashed", "lost to crashed, missing"}


class Teller:
    """Writes a line for each report, for the driver to read."""

    def on_progress(self, index: int, progress: GradingProgress) -> None:
        """Say nothing: only whole reports count."""

    def on_done(self, index: int, report: Report) -> None:
        """Write status and score."""
        lost = {test.outcome.value for test in report.tests if test.credit < 1}
        print(json.dumps([report.status.value, sorted(lost)]), flush=True)


def worker(count: int) -> None:
    """Grade `count` copies of the reference."""
    lab = Catalogue(HOME).get("tiny")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference_submission(lab).write_to(folder)
        hand_ins = [HandIn(f"s{n}", folder) for n in range(count)]
        run_batch(lab, hand_ins, Settings(KEY, JOBS), watcher=Teller())


def start_worker(count: int) -> subprocess.Popen[str]:
    """Start a worker process of its own session."""
    command = [sys.executable, __file__, "--worker", str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)


def kind_of(process: psutil.Process) -> str | None:
    """Tell what part of a grading a process is; None if it has just gone."""
    try:
        words = process.cmdline()
        above = process.parent()
        if "--worker" in words:
            return "worker"
        if "grader.grading.server" in words:
            forked = above is not None and "grader.grading.server" in above.cmdline()
            return "trusted run" if forked else "server"
        if any("guest.runner" in word for word in words):
            zygote = above is not None and "grader.grading.server" in above.cmdline()
            return "zygote" if zygote else "sandboxed"
        return "bubblewrap" if process.name() in ("bwrap", "sleep") else None
    except psutil.Error:
        return None


# How likely each is to be hit, once gradings are going on; a new worker or server takes seconds.
WEIGHTS = {
    "worker": 1,
    "server": 2,
    "zygote": 2,
    "bubblewrap": 3,
    "trusted run": 4,
    "sandboxed": 4,
}


class Family:
    """Everything that was ever seen below the workers."""

    def __init__(self) -> None:
        self.seen: set[psutil.Process] = set()

    def look(self, pid: int) -> dict[str, list[psutil.Process]]:
        """Return a worker's tree by kinds of process, and remember all of it."""
        try:
            root = psutil.Process(pid)
            tree = [root, *root.children(recursive=True)]
        except psutil.Error:
            return {}
        self.seen |= set(tree)
        by_kind: dict[str, list[psutil.Process]] = {}
        for process in tree:
            kind = kind_of(process)
            if kind:
                by_kind.setdefault(kind, []).append(process)
        return by_kind

    def living(self) -> list[psutil.Process]:
        """Return those that still run."""
        return [p for p in self.seen if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def strike(by_kind: dict[str, list[psutil.Process]], chance: random.Random) -> str | None:
    """Kill one process, if gradings are going on."""
    if "trusted run" not in by_kind:
        return None
    kinds = sorted(by_kind)
    kind = chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
    try:
        chance.choice(by_kind[kind]).send_signal(signal.SIGKILL)
    except psutil.Error:
        return None
    return kind


def traces(family: Family) -> dict[str, set[str]]:
    """Return what these gradings left on the host: control groups, folders, mounts."""
    owners = {str(process.pid) for process in family.seen}
    groups = {
        str(path)
        for controller in ("", "memory", "pids", "cpuacct")
        for path in (cgroup.ROOT / controller / cgroup.PARENT).glob("*-*-*")
        if path.name.partition("-")[0] in owners
    }
    folders = {
        str(path)
        for path in Path(tempfile.gettempdir()).glob("proctor-*-*")
        if path.name.split("-")[1] in owners
    }
    mounts = {line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()}
    mounts = {mount for mount in mounts if "proctor" in mount or mount == "/root"}
    return {"control groups": groups, "folders": folders, "mounts": mounts}


def drive(runs: int, seed: int, every: float) -> int:
    """Run workers and strike at them until `runs` reports are in; return the findings' number."""
    chance = random.Random(seed)
    family = Family()
    verdicts: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    while (done := sum(verdicts.values())) < runs:
        print(f"{done}/{runs} {dict(verdicts)}; killed {dict(struck)}", flush=True)
        follow(start_worker(runs - done), verdicts, struck, family, chance, every)
    last: Counter[str] = Counter()
    follow(start_worker(2), last, Counter(), family, chance, float("inf"))
    wait_for(lambda: not family.living())
    left = {**traces(family), "processes": {str(process) for process in family.living()}}
    print(f"{dict(verdicts)}, then undisturbed {dict(last)}; killed {dict(struck)}")
    print(f"{len(family.seen)} processes seen")
    findings = [f"{kind} left: {sorted(found)}" for kind, found in left.items() if found]
    findings += [f"{verdicts[name]} x {name}" for name in verdicts if name not in EXPECTED]
    findings += ["the last worker did not grade"] if last != {FULL: 2} else []
    print("\n".join(findings) or "nothing left behind, no wrong score")
    return len(findings)


def follow(
    process: subprocess.Popen[str],
    verdicts: Counter[str],
    struck: Counter[str],
    family: Family,
    chance: random.Random,
    every: float,
) -> None:
    """Read a worker's reports, striking at it now and then, until it ends."""
    reader = threading.Thread(target=read, args=(process, verdicts))
    reader.start()
    due = time.monotonic() + every * chance.random()
    while process.poll() is None:
        by_kind = family.look(process.pid)
        if time.monotonic() > due and (kind := strike(by_kind, chance)):
            struck[kind] += 1
            due = time.monotonic() + every * 2 * chance.random()
        time.sleep(0.05)
    reader.join()


def read(process: subprocess.Popen[str], verdicts: Counter[str]) -> None:
    """Count a worker's reports until its end."""
    assert process.stdout is not None
    with process.stdout, suppress(ValueError):  # a killed worker may leave half a line
        for line in process.stdout:
            status, lost = json.loads(line)
            if status == "graded":
                status = f"lost to {', '.join(lost)}" if lost else FULL
            verdicts[status] += 1


def wait_for(condition: object, seconds: float = 60) -> None:
    """Wait until something holds, or the time is up."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)


def main() -> None:
    """Read the options and drive."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=2.0, help="seconds between two kills")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker is not None:
        worker(options.worker)
        return
    print(f"sandbox tier {int(best_tier())}, seed {options.seed}")
    sys.exit(1 if drive(options.runs, options.seed, options.every) else 0)


if __name__ == "__main__":
    main()
