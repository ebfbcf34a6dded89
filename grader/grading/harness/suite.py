"""A lab's hidden suite as the grading server holds it: loaded once, run by each of its forks."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

from grader.grading.collected import TestSpec
from grader.lab.bars import Bars
from grader.lab.manifest import Assignment


@dataclass
class LoadedSuite:
    """What every run of a suite shares; complete once pytest has collected it."""

    assignment: Assignment
    reference: SimpleNamespace  # the solution's modules by name
    bars: Bars = field(default_factory=dict)
    specs: dict[str, TestSpec] = field(default_factory=dict)  # by id, in the order of the files
    faults: list[str] = field(default_factory=list)  # why it cannot be run
