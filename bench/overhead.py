"""Measure what grading adds to a submission, side by side with other graders.

    python bench/overhead.py                     # all systems, three rounds, docs/benchmarks.md
    python bench/overhead.py --only ours,pytest  # measure these; the others come from the cache
    python bench/overhead.py --render            # write the page from the cache
    python bench/overhead.py --quick             # a rehearsal: one round, few submissions, no page

Forty submissions (`overhead/submissions`) to one small assignment (`overhead/home`) go through this
project's engine, plain pytest, gradescope-utils, Otter-Grader, nbgrader and a warm fork without any
protection. Each system runs as its documentation says, in its own virtual environment, made on the
first run below `--work` (about 2 GB; needs pip and a package index). Every result is kept there as
JSON under a digest of what made it, so a run that was stopped goes on where it was, and a changed
check, submission, engine or version is measured anew; `--fresh` measures everything anew.

Run it as root on a quiet Linux machine: only then are whole process trees counted, and only then
is the memory bomb held by a control group. Three rounds take about half an hour on two cores.
`overhead/meter.py` counts, `plan.py` orders, `figures.py` reckons, `page.py` and `chart.py` write.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from overhead import chart, page
from overhead.figures import Figures, figures, foreign_share, own_seconds
from overhead.meter import Usage, run_metered
from overhead.peers import forms
from overhead.plan import OWN, Kind, Result, Store, Task, fingerprint, places, students_of, tasks
from overhead.students import HERE, Student, load_students, original
from overhead.systems import SYSTEMS, Batch, System
from overhead.systems.base import INSIDE, TIMEOUT
from overhead.venvs import Venvs

REPOSITORY = HERE.parent.parent
LIMIT = 3600.0  # seconds that one command may take
DECIDES = ("submissions", "home", "peers", "inside", "systems")


def main() -> None:
    """Measure what is missing and write the page."""
    options = _options()
    bench = Bench(options)
    if not options.render:
        with only_run(bench.work):
            bench.measure()
    if options.docs or not options.quick:
        bench.write(options.docs or REPOSITORY / "docs")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "proctor" / "bench"
    parser.add_argument("--only", default=",".join(SYSTEMS), help="systems, by comma")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2, help="submissions at a time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, default=cache, help="environments and results")
    parser.add_argument("--docs", type=Path, help="where the page goes")
    parser.add_argument("--quick", action="store_true", help="one round, few submissions, no page")
    parser.add_argument("--fresh", action="store_true", help="forget the results kept so far")
    parser.add_argument("--render", action="store_true", help="write the page from the cache")
    options = parser.parse_args()
    unknown = set(options.only.split(",")) - set(SYSTEMS)
    if unknown:
        parser.error(f"no system {', '.join(sorted(unknown))}; there are {', '.join(SYSTEMS)}")
    return options


@dataclass
class Bench:
    """One run of the benchmark."""

    options: argparse.Namespace

    def __post_init__(self) -> None:
        self.work: Path = self.options.work
        self.work.mkdir(parents=True, exist_ok=True)
        venvs = Venvs(self.work / "venvs")
        self.systems = {name: kind(venvs, self.work) for name, kind in SYSTEMS.items()}
        self.warm = {name for name, system in self.systems.items() if system.warm}
        self.only: list[str] = self.options.only.split(",")
        self.rounds = 1 if self.options.quick else self.options.rounds
        self.students = _some(load_students()) if self.options.quick else load_students()
        self.store = Store(self.work / ("quick" if self.options.quick else "results"))
        self._digests: dict[str, str] = {}

    # -- measuring ---------------------------------------------------------------------------

    def measure(self) -> None:
        """Run every task that has no result yet."""
        if self.options.fresh:
            self.store.clear()
        for name in self.only:
            say(f"preparing {name}")
            self.systems[name].prepare()
        waiting = [task for task, result in self._results(self.only) if result is None]
        for name in dict.fromkeys(task.system for task in waiting if task.system != OWN):
            say(f"warming up {name}: not counted")
            self._run(Task(0, name, Kind.ONE))
        for number, task in enumerate(waiting, 1):
            say(f"{number}/{len(waiting)} round {task.round}: {task.system}, {task.kind}")
            self._try(task)

    def _try(self, task: Task) -> None:
        """Measure a task; what goes wrong in it is told and leaves the others alone."""
        try:
            result = self._own(task) if task.system == OWN else self._run(task)
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            say(f"    NOT MEASURED: {error}")
            return
        others = foreign_share([result], os.cpu_count() or 1)
        usage = result.usage
        say(f"    {usage['wall']:.1f} s, {usage['cpu']:.1f} s CPU; others used {others:.0%}")
        self._keep(task, result)

    def _keep(self, task: Task, result: Result) -> None:
        """Keep a result, unless nothing came of it: then the set-up is at fault."""
        if task.system != OWN and not result.each:
            say(f"    NO RESULT AT ALL, not kept: see {self.work / 'batches' / task.name}")
            return
        expected = {student.name: student.right for student in self.students}
        for name, (verdict, detail) in sorted((result.verdicts or {}).items()):
            if (verdict == "passed") != expected[original(name)]:
                say(f"    {name}: {verdict} {detail[:200]}")
        self.store.write(task, result)

    def _results(self, names: Sequence[str]) -> Iterator[tuple[Task, Result | None]]:
        for task in tasks(names, self.rounds, self.options.seed, self.warm):
            yield task, self.store.read(task, self._digest(task.system))

    def _digest(self, name: str) -> str:
        """Return the digest of everything that decides a system's results."""
        if name not in self._digests:
            folders = [HERE / part for part in DECIDES]
            folders += [REPOSITORY / "grader"] if name == "ours" else []
            versions = [] if name == OWN else [*self.systems[name].versions().values()]
            words = [*versions, *(s.name for s in self.students), str(self.options.jobs)]
            self._digests[name] = fingerprint(folders, *words)
        return self._digests[name]

    def _run(self, task: Task) -> Result:
        system = self.systems[task.system]
        batch = self._batch(task)
        command = system.stage(batch)
        began = time.time()
        usage = self._metered(command, batch, system)
        done = system.done_at(batch)
        verdicts = system.collect(batch)
        self._tidy(batch)
        return Result(
            task.round,
            task.system,
            task.kind,
            self._digest(task.system),
            began,
            usage.as_dict(),
            tuple(student.name for student in batch.students),
            first=round(done[0] - began, 3) if done else None,
            each=places(done, began, system.at_once or batch.jobs),
            verdicts={name: (str(o.verdict), o.detail) for name, o in verdicts.items()},
        )

    def _batch(self, task: Task) -> Batch:
        folder = self.work / "batches" / task.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Batch(folder, students_of(task, self.students, self.options.seed), self.options.jobs)

    def _metered(self, command: Sequence[str], batch: Batch, system: System) -> Usage:
        log, environ = batch.folder / "log.txt", system.environ(batch)
        return run_metered(command, cwd=batch.folder, environ=environ, limit=LIMIT, log=log)

    def _tidy(self, batch: Batch) -> None:
        """Keep the last batch of each kind for a look at it, but not its floods."""
        for file in batch.folder.rglob("*"):
            if file.is_file() and file.stat().st_size > 2**20:
                file.unlink()

    def _own(self, task: Task) -> Result:
        """Measure the submissions alone, outside any system."""
        batch = self._batch(task)
        pairs = []
        for student in batch.students:
            file = batch.own(student) / "functions.py"
            file.write_text(student.source)
            pairs.append(f"{student.name}={file}")
        out = batch.folder / "own.json"
        command = [sys.executable, str(INSIDE / "own.py"), str(out), *pairs]
        began, usage = time.time(), self._metered(command, batch, self.systems["ours"])
        names = tuple(student.name for student in batch.students)
        own = json.loads(out.read_text())
        return Result(
            task.round, OWN, Kind.OWN, self._digest(OWN), began, usage.as_dict(), names, own=own
        )

    # -- writing -----------------------------------------------------------------------------

    def write(self, docs: Path) -> None:
        """Write the page and its picture from all complete results."""
        results = [result for _, result in self._results(list(SYSTEMS)) if result]
        own = own_seconds(results)
        every = (figures(name, results, own, warm=name in self.warm) for name in SYSTEMS)
        found = [each for each in every if each]
        for name in sorted(set(SYSTEMS) - {f.system for f in found}):
            say(f"{name} is left out: no whole round of it was measured with this code")
        if page.OURS not in {f.system for f in found}:
            sys.exit("no page without this project's own figures: run without --render first")
        described = {f.system: self._described(f) for f in found}
        scene = _scene(results, own)
        text = page.page(found, described, self.students, scene)
        (docs / "benchmarks.md").write_text(text, encoding="utf-8")
        titles = {name: system.title for name, system in described.items()}
        chart.draw(found, titles, docs / "benchmarks.svg")
        say(f"wrote {docs / 'benchmarks.md'} and its picture")

    def _described(self, found: Figures) -> page.System:
        system = self.systems[found.system]
        at_once = system.at_once or self.options.jobs
        return page.System(system.name, system.title, system.how, system.versions(), at_once)


def _scene(results: Sequence[Result], own: dict[str, float]) -> page.Scene:
    began = [result.began for result in results]
    memory = psutil.virtual_memory().total / 2**30
    kernel = ".".join(platform.release().split(".")[:2])
    cores = os.cpu_count() or 1
    return page.Scene(
        machine=f"{cores} cores, {memory:.0f} GiB of memory, {platform.system()} {kernel}, "
        f"Python {platform.python_version()}",
        meter=" and ".join(sorted({str(result.usage["meter"]) for result in results})),
        began=min(began),
        ended=max(r.began + r.usage["wall"] for r in results),
        foreign=foreign_share(results, cores),
        own=own,
        tests=len(forms.names()),
        timeout=TIMEOUT,
    )


def _some(students: list[Student]) -> list[Student]:
    """Return a few submissions for a rehearsal: none of those that wait for a time limit."""
    quick = ("01", "02", "05", "15", "31", "34", "36", "39", "40")
    return [student for student in students if student.name[:2] in quick]


@contextmanager
def only_run(work: Path) -> Iterator[None]:
    """Keep a second run out: they would write into the same folders and disturb each other."""
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another run is measuring in {work}; wait for it, or give another --work")
        yield


def say(text: str) -> None:
    """Tell how it goes."""
    print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    main()
