"""One fuzzing process: a target, a number of executions, a seed; coverage-guided by Atheris.

    python -m fuzzing.shard TARGET EXECUTIONS SEED FOLDER CORPUS...

FOLDER takes what is found (`finding-*`), inputs that reached new code (`corpus/`) and counts
(`stats.json`). Without Atheris the same grammar runs unguided. A crash of the interpreter leaves
libFuzzer's own `crash-*` file there. `bench/fuzz.py` starts shards and reads what they leave.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from random import Random

import psutil

try:
    import atheris  # type: ignore[import-not-found]
except ImportError:  # there are no wheels for this platform
    atheris = None

# What coverage counts: the engine's own code, and the reader of zips that intake trusts.
INSTRUMENTED = ["grader", "zipfile"]
UNGUIDED = 0.3  # of all changes: libFuzzer's own, which know nothing of the format
CLOSELY = 16  # one execution in so many is judged closely
AMPLIFIED = 20_000  # after so many comes a large one: one small thing many times
LONGEST = {"frames": 8192, "uploads": 16_384, "names": 2048}
SLOWEST = 300  # seconds of wall time for one execution, before libFuzzer gives up on it
ADDRESS_SPACE = 2 << 30  # bytes beyond what the imports mapped; past it a claim fails at once
REPORT_EVERY = 1000


def load() -> None:
    """Import what is under test, instrumented where Atheris is there."""
    sys.modules.pop("zipfile", None)
    guided = atheris.instrument_imports(include=INSTRUMENTED) if atheris else nullcontext()
    with guided:
        for name in ("zipfile", "grader.sandbox.host.channel", "grader.intake"):
            importlib.import_module(name)


class Target:
    """What one kind of input is made by, changed by and judged by."""

    def __init__(self, name: str, scratch: Path) -> None:
        from fuzzing import frame_grammar, frames, names, upload_grammar, uploads

        self.name = name
        self.generate: Callable[[Random], bytes] = frame_grammar.generate
        self.mutate: Callable[[bytes, Random], bytes] = frame_grammar.mutate
        self.check: Callable[..., str] = frames.check
        larger = {"frames": frame_grammar.amplify, "uploads": upload_grammar.amplify}
        self.amplify = larger.get(name)
        if name != "frames":
            intake = uploads.Intake(scratch)
            self.generate, self.mutate = upload_grammar.generate, upload_grammar.mutate
            self.check = intake.check
        if name == "names":
            self.generate = upload_grammar.names
            self.mutate = lambda data, rng: upload_grammar.names(rng)
            self.check = lambda data, closely: names.check(data, intake.lab)

    @property
    def cpu_seconds(self) -> float:
        """CPU time of this process and of the intake's children."""
        children = psutil.Process().children()
        return time.process_time() + sum(sum(child.cpu_times()[:4]) for child in children)


class Shard:
    """Runs a target, counts, and keeps the smallest input for every promise that was broken."""

    def __init__(self, target: Target, executions: int, seed: int, folder: Path) -> None:
        self.target = target
        self.executions = executions
        self.seed = seed
        self.folder = folder
        self.outcomes: Counter[str] = Counter()
        self.smallest: dict[str, int] = {}
        self.done = 0

    def one(self, data: bytes) -> None:
        """Judge one input."""
        self.done += 1
        self._judge(data, closely=self.done % CLOSELY == 0)
        if self.target.amplify and self.done % AMPLIFIED == 0:
            large = self.target.amplify(Random(self.seed + self.done))
            for closely in (False, True):
                self._judge(large, closely=closely)
        if self.done % REPORT_EVERY == 0 or self.done >= self.executions:
            self.report()

    def _judge(self, data: bytes, *, closely: bool) -> None:
        try:
            self.outcomes[self.target.check(data, closely=closely)] += 1
        except Exception as error:  # a Finding, or a fault of the judge: to be looked at as well
            self.outcomes["finding"] += 1
            self._keep(data, error)

    def _keep(self, data: bytes, error: Exception) -> None:
        promise = f"{type(error).__name__}: {error}"
        if len(data) >= self.smallest.get(promise, 1 << 62):
            return
        self.smallest[promise] = len(data)
        key = hashlib.sha256(promise.encode("utf-8", "replace")).hexdigest()[:12]
        file = self.folder / f"finding-{self.target.name}-{key}"
        file.write_bytes(data)
        file.with_suffix(".txt").write_text(
            "".join(traceback.format_exception(error)), "utf-8", "backslashreplace"
        )

    def change(self, data: bytes, most: int, seed: int) -> bytes:
        """Return an input for libFuzzer: new, changed by grammar, or changed by libFuzzer."""
        rng = Random(seed)
        chance = rng.random()
        if chance < UNGUIDED:
            changed: bytes = atheris.Mutate(data, len(data))
            return changed
        new = self.target.generate(rng) if chance > 0.85 else self.target.mutate(data, rng)
        return new[:most]

    def report(self) -> None:
        """Write the counts so far."""
        counts = {
            "executions": self.done,
            "cpu_seconds": self.target.cpu_seconds,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "outcomes": dict(self.outcomes),
        }
        (self.folder / "stats.json").write_text(json.dumps(counts))


def guided(shard: Shard, corpora: Iterable[str]) -> None:
    """Let libFuzzer choose the inputs; does not return."""
    kept = shard.folder / "corpus"
    kept.mkdir(exist_ok=True)
    options = {
        "runs": shard.executions, "seed": shard.seed, "max_len": LONGEST[shard.target.name],
        "timeout": SLOWEST, "rss_limit_mb": 4096, "artifact_prefix": f"{shard.folder}/",
        "len_control": 0, "mutate_depth": 2, "print_final_stats": 1,
    }  # fmt: skip
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], *arguments, str(kept), *corpora], shard.one,
                  custom_mutator=shard.change)  # fmt: skip
    atheris.Fuzz()


def unguided(shard: Shard, corpora: Iterable[str]) -> None:
    """Take inputs from the grammar and from changes to the corpus."""
    seeds = [file.read_bytes() for folder in corpora for file in sorted(Path(folder).iterdir())]
    for number in range(shard.executions):
        rng = Random(f"{shard.seed}/{number}")
        fresh = rng.random() < 0.5
        shard.one(
            shard.target.generate(rng) if fresh else shard.target.mutate(rng.choice(seeds), rng)
        )


def limit_memory() -> None:
    """Make an allocation that only a lie can ask for fail."""
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + ADDRESS_SPACE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def main() -> None:
    """Run the shard that the arguments describe."""
    name, executions, seed, folder, *corpora = sys.argv[1:]
    load()
    fast = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=fast) as scratch:
        target = Target(name, Path(scratch))
        shard = Shard(target, int(executions), int(seed), Path(folder))
        limit_memory()
        (guided if atheris else unguided)(shard, corpora)


if __name__ == "__main__":
    main()
