"""How course systems name what staff download of an assignment; each reads a folder or says no.

Canvas      ``zhangsan_LATE_10001_700_layers.py``: all files in one folder
Moodle      ``San Zhang_12345_assignsubmission_file_``: a folder for each, or flat as Canvas does
Gradescope  ``submission_1`` beside ``submission_metadata.yml``, which has the names
Blackboard  ``Lab 1_zsan1_attempt_2026-09-14-10-11-12_layers.py``, with a text of the same start

Students choose how their files are called and with what they end, but never how a name begins.
"""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.intake.exports.gradescope import METADATA, submitters
from grader.intake.exports.handin import HandIn
from grader.intake.names import is_notebook
from grader.text import clean_line

_MOST_ABOUT = 64_000  # bytes
_LONGEST_NAME = 120
_Sent = list[tuple[str, Path]]  # name a file was sent by, and where it lies


@dataclass(frozen=True)
class Export:
    """What one folder of an export holds."""

    system: str
    hand_ins: tuple[HandIn, ...]
    others: tuple[Path, ...]  # entries that are no part of any of them


def read_export(folder: Path, entries: Sequence[Path], asked: frozenset[str]) -> Export | None:
    """Read a folder as an export; None if no system names its entries so.

    `asked` are the last parts of the manifest's paths.
    """
    for read in _SYSTEMS:
        found = read(folder, entries, asked)
        if found is not None:
            return found
    return None


def _gradescope(folder: Path, entries: Sequence[Path], _asked: frozenset[str]) -> Export | None:
    if not any(entry.name == METADATA and entry.is_file() for entry in entries):
        return None
    names = submitters(folder / METADATA)
    mine = [entry for entry in entries if entry.is_dir()]
    hand_ins = tuple(HandIn(names.get(one.name) or one.name, one, key=one.name) for one in mine)
    others = [one for one in entries if one not in mine and one.name != METADATA]
    return Export("Gradescope", hand_ins, tuple(others)) if mine else None


# Greedy, so that nobody is taken for another: neither a person's name nor a file's can make two
# names begin alike.
_MOODLE = re.compile(
    r"(?P<who>.+)_(?P<key>\d+)_assignsubmission_(?P<kind>[a-z]+)(?:_(?P<file>.*))?", re.DOTALL
)


def _moodle(folder: Path, entries: Sequence[Path], _asked: frozenset[str]) -> Export | None:
    found: dict[tuple[str, str], _Sent] = defaultdict(list)
    others = []
    for entry in entries:
        match = _MOODLE.fullmatch(entry.name)
        if match is None:
            others.append(entry)
            continue
        sent = "" if match["kind"] == "file" and entry.is_dir() else match["file"] or match["kind"]
        found[match["who"], match["key"]].append((sent, entry))
    hand_ins = [_of_parts(folder, who, key, sent) for (who, key), sent in found.items()]
    return Export("Moodle", tuple(hand_ins), tuple(others)) if found else None


_CANVAS = re.compile(r"(?P<who>[^_]+)_(?:LATE_)?(?P<key>\d+)_\d+_(?P<file>.+)", re.DOTALL)
_SENT_AGAIN = re.compile(r"-\d+(?=\.[^.]+$)")  # Canvas counts a file of the same name


def _canvas(folder: Path, entries: Sequence[Path], asked: frozenset[str]) -> Export | None:
    found: dict[tuple[str, str], _Sent] = defaultdict(list)
    others = []
    for entry in entries:
        match = None if entry.is_dir() else _CANVAS.fullmatch(entry.name)
        if match is None:
            others.append(entry)
            continue
        found[match["who"], match["key"]].append((match["file"], entry))
    named = {who: _as_first_sent(sent, asked) for who, sent in found.items()}
    if not any(_offers(sent, asked) for sent in named.values()):
        return None  # somebody's own way to name files
    hand_ins = [_of_parts(folder, who, key, sent) for (who, key), sent in named.items()]
    return Export("Canvas", tuple(hand_ins), tuple(others))


def _as_first_sent(sent: _Sent, asked: frozenset[str]) -> _Sent:
    """Give ``layers-1.py`` its first name again, where only one file asks for that."""
    first = [_SENT_AGAIN.sub("", name) for name, _ in sent]
    counts = Counter([*first, *(name for name, _ in sent if name not in first)])
    return [
        (was if was in asked and counts[was] == 1 else name, path)
        for was, (name, path) in zip(first, sent, strict=True)
    ]


def _offers(sent: _Sent, asked: frozenset[str]) -> bool:
    return any(
        name in asked or name.lower().endswith(".zip") or is_notebook(name) for name, _ in sent
    )


_BLACKBOARD = re.compile(
    r"(?P<start>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)", re.DOTALL
)
_ABOUT = re.compile(r"\s*Name: (?P<who>.+) \((?P<key>[^()\n]+)\)[ \r]*$", re.MULTILINE)


def _blackboard(folder: Path, entries: Sequence[Path], _asked: frozenset[str]) -> Export | None:
    attempts: dict[str, dict[str, _Sent]] = defaultdict(lambda: defaultdict(list))
    about: dict[str, re.Match[str]] = {}
    others = []
    for entry in entries:
        match = None if entry.is_dir() else _BLACKBOARD.fullmatch(entry.name)
        if match is None:
            others.append(entry)
            continue
        sent = attempts[match["start"]][match["when"]]
        if match["file"]:
            sent.append((match["file"], entry))
        elif first := _ABOUT.match(_beginning(entry)):
            about[match["start"]] = first
    users = _users(attempts)
    hand_ins = []
    for start, by_time in attempts.items():
        *earlier, last = sorted(by_time)
        others += [path for when in earlier for _, path in by_time[when]]
        who = about[start]["who"] if start in about else users[start]
        hand_ins.append(_of_parts(folder, who, users[start], by_time[last]))
    return Export("Blackboard", tuple(hand_ins), tuple(others)) if attempts else None


def _users(starts: Mapping[str, object]) -> dict[str, str]:
    """Return start of a name -> user, which is what follows the assignment's title in it."""
    title = os.path.commonprefix(list(starts)) if len(starts) > 1 else next(iter(starts), "")
    behind = title.rfind("_") + 1
    return {start: start[behind:] for start in starts}


def _beginning(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(_MOST_ABOUT).decode("utf-8-sig", "replace")


def _of_parts(folder: Path, who: str, key: str, sent: _Sent) -> HandIn:
    return HandIn(clean_line(who, _LONGEST_NAME), folder / f"{who}_{key}", tuple(sent), key)


_Reader = Callable[[Path, Sequence[Path], frozenset[str]], Export | None]
_SYSTEMS: tuple[_Reader, ...] = (_gradescope, _moodle, _blackboard, _canvas)
