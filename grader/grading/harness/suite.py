"""A lab's hidden suite as the grading server holds it: loaded once, run by each of its forks."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

from grader.grading.collected import TestSpec
from grader.grading.harness.messages import Message, told_by
from grader.lab.bars import Bars
from grader.lab.manifest import Assignment
from grader.report.diagnosis import Cause, Diagnosis


@dataclass
class LoadedSuite:
    """What every run of a suite shares; complete once pytest has collected it."""

    assignment: Assignment
    reference: SimpleNamespace  # the solution's modules by name
    bars: Bars = field(default_factory=dict)
    specs: dict[str, TestSpec] = field(default_factory=dict)  # by id, in the order of the files
    faults: list[str] = field(default_factory=list)  # why it cannot be run
    messages: tuple[Message, ...] = ()  # that students may read, from the files' own text

    def told_by(self, said: str) -> Diagnosis | None:
        """Return what a student may read of what a test said; None if that is nothing."""
        shown = told_by(self.messages, said)
        return Diagnosis(cause=Cause.SAID, said=shown) if shown else None
