"""What one student, or one team, handed in: the name it goes by, and where its files lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from grader.intake.receiving import receive, receive_parts
from grader.intake.submission import Submission
from grader.lab.manifest import Assignment


@dataclass(frozen=True)
class HandIn:
    """One submission of a class."""

    name: str  # which its row bears
    path: Path  # of the file or folder it is; of parts, one below the folder that they lie in
    parts: tuple[tuple[str, Path], ...] = ()  # its files and folders, each with the name it had
    key: str = ""  # the course system's own, which tells two of one name apart


@dataclass(frozen=True)
class FoundHandIns:
    """The submissions that paths stand for."""

    hand_ins: tuple[HandIn, ...]
    left_out: tuple[str, ...] = ()  # names of what lies beside them and is none
    systems: tuple[str, ...] = ()  # whose exports were read: Canvas, Moodle
    sections: tuple[str, ...] = ()  # folders that were taken for parts of the class


def receive_hand_in(hand_in: HandIn, assignment: Assignment) -> Submission:
    """Take in what a student handed in; raises Rejected."""
    if hand_in.parts:
        return receive_parts(hand_in.name, hand_in.parts, assignment)
    return receive(hand_in.path, assignment)


def with_names_that_differ(hand_ins: Iterable[HandIn]) -> tuple[HandIn, ...]:
    """Tell those of one name apart: by the course system's key, their folder, or a number."""
    found = list(hand_ins)
    for tell in (_by_key, _by_folder):
        counts = Counter(one.name for one in found)
        found = [tell(one) if counts[one.name] > 1 else one for one in found]
    seen: Counter[str] = Counter()
    for at, one in enumerate(found):
        seen[one.name] += 1
        if seen[one.name] > 1:
            found[at] = replace(one, name=f"{one.name} ({seen[one.name]})")
    return tuple(found)


def _by_key(one: HandIn) -> HandIn:
    return replace(one, name=f"{one.name}_{one.key}") if one.key else one


def _by_folder(one: HandIn) -> HandIn:
    return replace(one, name=f"{one.path.parent.name}/{one.name}")
