"""Grading many submissions side by side; no submission can stop the others.

Each grading run is a process tree of its own, so threads that wait for them are enough. The
threads are daemons: after Ctrl-C nothing keeps the command alive, and the runs end with it.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from grader.errors import Rejected
from grader.grading import (
    GradedSubmission,
    GradingPool,
    GradingProgress,
    ResultCache,
    fault_report,
    rejected_report,
)
from grader.intake import Submission
from grader.intake.exports import HandIn, receive_hand_in
from grader.lab.catalogue import Lab
from grader.report.report import Report


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
class Settings:
    """What holds for every submission of a batch."""

    key: bytes
    jobs: int = 1
    variant: str | None = None
    minimum_tier: int | None = None
    cache: ResultCache | None = None  # of results of single tests; None to run every test


def run_batch(
    lab: Lab,
    hand_ins: Sequence[HandIn],
    settings: Settings,
    *,
    watcher: Watcher,
    grade: Grade | None = None,
) -> list[GradedSubmission]:
    """Grade every submission and return the results in the order given.

    Whatever goes wrong with one submission becomes that submission's report. Ctrl-C ends the
    batch: then only the submissions that are done are returned. By default a pool of the
    batch's own grades.
    """
    if grade is not None:
        return _run(lab, hand_ins, settings, watcher, grade)
    with pool_for(settings) as pool:
        return _run(lab, hand_ins, settings, watcher, pool.grade)


def pool_for(settings: Settings) -> GradingPool:
    """Return a pool that grades as the settings say; the caller closes it."""
    return GradingPool(jobs=settings.jobs, minimum_tier=settings.minimum_tier, cache=settings.cache)


def _run(
    lab: Lab, hand_ins: Sequence[HandIn], settings: Settings, watcher: Watcher, grade: Grade
) -> list[GradedSubmission]:
    waiting: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, GradedSubmission]] = queue.SimpleQueue()
    for index in range(len(hand_ins)):
        waiting.put(index)

    def work() -> None:
        while True:
            try:
                index = waiting.get_nowait()
            except queue.Empty:
                return
            done.put((index, _one(lab, hand_ins[index], settings, watcher, index, grade)))

    for _ in range(min(max(settings.jobs, 1), len(hand_ins))):
        threading.Thread(target=work, daemon=True).start()
    results: dict[int, GradedSubmission] = {}
    with suppress(KeyboardInterrupt):
        while len(results) < len(hand_ins):
            index, graded = done.get()
            results[index] = graded
            watcher.on_done(index, graded.report)
    return [results[index] for index in sorted(results)]


def _one(
    lab: Lab, hand_in: HandIn, settings: Settings, watcher: Watcher, index: int, grade: Grade
) -> GradedSubmission:
    try:
        submission = receive_hand_in(hand_in, lab.assignment)
        graded = grade(
            lab,
            submission,
            key=settings.key,
            variant=settings.variant,
            on_progress=lambda progress: watcher.on_progress(index, progress),
        )
    except Rejected as refusal:
        graded = GradedSubmission(rejected_report(lab.assignment, hand_in.name, refusal.reasons))
    except Exception:  # a worker's loop: the fault becomes this submission's report
        graded = GradedSubmission(
            fault_report(lab.assignment, None, traceback.format_exc(), started_at=datetime.now(UTC))
        )
    named = graded.report.model_copy(update={"submission": hand_in.name})
    return GradedSubmission(named, graded.artifacts)
