"""Grading many submissions side by side; no submission can stop the others.

Each grading run is a process tree of its own, so threads that wait for them are enough. The
threads are daemons: after Ctrl-C nothing keeps the command alive, and the runs end with it.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

from grader.errors import ProctorError, Rejected
from grader.grading import (
    GradedSubmission,
    GradingPool,
    GradingProgress,
    ResultCache,
    fault_report,
    rejected_report,
)
from grader.intake import Submission, receive
from grader.lab.catalogue import Lab
from grader.lab.manifest import Assignment
from grader.report.report import Report

_JUNK = ("__MACOSX", "__pycache__")


class Grade(Protocol):
    """What grades one submission: a pool's `grade`, or a stand-in of a test."""

    def __call__(
        self,
        lab: Lab,
        submission: Submission,
        *,
        key: bytes,
        variant: str | None = None,
        on_progress: Callable[[GradingProgress], None],
    ) -> GradedSubmission:
        """Grade a submission."""


class Watcher(Protocol):
    """Who is told how a batch goes; called from several threads."""

    def on_progress(self, index: int, progress: GradingProgress) -> None:
        """Note that a test of submission `index` has ended."""

    def on_done(self, index: int, report: Report) -> None:
        """Note that submission `index` has its report."""


@dataclass(frozen=True)
class Source:
    """One submission on disk and the name its row bears."""

    name: str
    path: Path


@dataclass(frozen=True)
class Settings:
    """What holds for every submission of a batch."""

    key: bytes
    jobs: int = 1
    variant: str | None = None
    minimum_tier: int | None = None
    cache: ResultCache | None = None  # of results of single tests; None to run every test


def find_sources(paths: Sequence[Path], assignment: Assignment) -> list[Source]:
    """Return the submissions that paths stand for, with names that differ.

    A file is one submission, and so is a folder that holds a file or package of the manifest;
    of any other folder each child is one. Raises ProctorError if a folder holds none.
    """
    found = [child for path in paths for child in _submissions_at(path, assignment)]
    counts = Counter(path.name for path in found)
    names: Counter[str] = Counter()
    sources = []
    for path in found:
        name = path.name if counts[path.name] == 1 else f"{path.parent.name}/{path.name}"
        names[name] += 1
        sources.append(Source(name if names[name] == 1 else f"{name} ({names[name]})", path))
    return sources


def run_batch(
    lab: Lab,
    sources: Sequence[Source],
    settings: Settings,
    *,
    watcher: Watcher,
    grade: Grade | None = None,
) -> list[GradedSubmission]:
    """Grade every source and return the results in the order of the sources.

    Whatever goes wrong with one submission becomes that submission's report. Ctrl-C ends the
    batch: then only the submissions that are done are returned. By default a pool of the
    batch's own grades.
    """
    if grade is not None:
        return _run(lab, sources, settings, watcher, grade)
    with pool_for(settings) as pool:
        return _run(lab, sources, settings, watcher, pool.grade)


def pool_for(settings: Settings) -> GradingPool:
    """Return a pool that grades as the settings say; the caller closes it."""
    return GradingPool(jobs=settings.jobs, minimum_tier=settings.minimum_tier, cache=settings.cache)


def _run(
    lab: Lab, sources: Sequence[Source], settings: Settings, watcher: Watcher, grade: Grade
) -> list[GradedSubmission]:
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, GradedSubmission]] = queue.SimpleQueue()
    for index in range(len(sources)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((index, _one(lab, sources[index], settings, watcher, index, grade)))

    for _ in range(min(max(settings.jobs, 1), len(sources))):
        threading.Thread(target=work, daemon=True).start()
    results: dict[int, GradedSubmission] = {}
    with suppress(KeyboardInterrupt):
        while len(results) < len(sources):
            index, graded = done.get()
            results[index] = graded
            watcher.on_done(index, graded.report)
    return [results[index] for index in sorted(results)]


def _one(
    lab: Lab, source: Source, settings: Settings, watcher: Watcher, index: int, grade: Grade
) -> GradedSubmission:
    try:
        submission = receive(source.path, lab.assignment)
        graded = grade(
            lab,
            submission,
            key=settings.key,
            variant=settings.variant,
            on_progress=lambda progress: watcher.on_progress(index, progress),
        )
    except Rejected as refusal:
        graded = GradedSubmission(rejected_report(lab.assignment, source.name, refusal.reasons))
    except Exception:  # a worker's loop: the fault becomes this submission's report
        graded = GradedSubmission(
            fault_report(lab.assignment, None, traceback.format_exc(), started_at=datetime.now(UTC))
        )
    named = graded.report.model_copy(update={"submission": source.name})
    return GradedSubmission(named, graded.artifacts)


def _submissions_at(path: Path, assignment: Assignment) -> Iterator[Path]:
    if not path.is_dir() or _is_submission(path, assignment):
        yield path.resolve() if path.name in {"", ".."} else path
        return
    children = [child for child in sorted(path.iterdir()) if not _is_junk(child)]
    if not children:
        raise ProctorError(
            f"{path}: this folder holds no submission; name a folder with files of "
            f"{assignment.slug}, or one with a file or folder for each student."
        )
    yield from children


def _is_submission(folder: Path, assignment: Assignment) -> bool:
    """Tell whether the folder holds, at its top, a file of the manifest or its package."""
    named = [file.path for file in assignment.files] + [file.path for file in assignment.given]
    paths = [PurePosixPath(path) for path in named]
    expected = {name for path in paths for name in (path.parts[0], path.name)}
    return any(child.name in expected for child in folder.iterdir())


def _is_junk(path: Path) -> bool:
    return path.name.startswith(".") or path.name in _JUNK
