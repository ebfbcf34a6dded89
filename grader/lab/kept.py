"""Manifests that were parsed once and have not changed since: a page of the portal needs several.

One is kept as long as its file is the very same, by inode, size and the instants of its changes.
What else a sound manifest needs is looked at each time: that its given files are there. A manifest
with a mistake is never kept, so its mistakes are told anew each time.
"""

from __future__ import annotations

import copy
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from grader.lab.given import given_places
from grader.lab.manifest import MANIFEST_NAME, Assignment, load_assignment

MOST_KEPT = 100  # manifests; far more than a course has labs
# Within a tick of a file system's clock a file may change and look the same. Ticks last some
# milliseconds, two seconds at most: a manifest that changed just now is not kept yet.
SETTLED_NS = 2_000_000_000


class _State(NamedTuple):
    """What of a file is another whenever its content is."""

    device: int
    inode: int
    size: int
    modified: int  # ns; whoever copies or unpacks a file may set it
    changed: int  # ns; set by the system alone, by a change of rights too


@dataclass(frozen=True)
class _Kept:
    """A sound manifest and what it rests on."""

    state: _State
    assignment: Assignment  # never handed out itself
    given: tuple[Sequence[Path], ...]  # where each given file may lie


class KeptManifests:
    """The manifests of some folders, each parsed again once its file has changed.

    Any thread may ask. `clock` tells ns since the epoch, as `time.time_ns` does.
    """

    def __init__(self, clock: Callable[[], int] = time.time_ns) -> None:
        self._clock = clock
        self._kept: dict[Path, _Kept] = {}
        self._lock = threading.Lock()  # never held while a file is read

    def load(self, folder: Path) -> Assignment:
        """Return what `load_assignment` returns for a folder now, and raise what it raises.

        Nothing in it that can be changed is shared with another caller.
        """
        now = self._clock()
        state = _state_of(folder)  # before it is read: what is written meanwhile makes it another
        with self._lock:
            known = self._kept.get(folder)
        if known is not None and known.state == state and _are_there(known.given):
            return _copied(known.assignment)
        assignment = load_assignment(folder)
        if state is not None and now - state.changed > SETTLED_NS:
            given = tuple(given_places(folder, file.path) for file in assignment.given)
            self._keep(folder, _Kept(state, _copied(assignment), given))
        return assignment

    def _keep(self, folder: Path, found: _Kept) -> None:
        with self._lock:
            self._kept.pop(folder, None)
            self._kept[folder] = found
            if len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]  # the one that was parsed first


def _state_of(folder: Path) -> _State | None:
    """Return the state of a folder's manifest, None if it cannot be looked at."""
    try:
        stat = os.stat(folder / MANIFEST_NAME)
    except OSError:
        return None
    return _State(stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _are_there(given: Sequence[Sequence[Path]]) -> bool:
    return all(any(map(os.path.isfile, places)) for places in given)


def _copied(assignment: Assignment) -> Assignment:
    """Copy a manifest, and of what it holds all but what nobody can change anyway."""
    fixed = (
        assignment.folder,
        assignment.limits,
        assignment.parts,
        assignment.given,
        assignment.data,
        *assignment.packages.values(),
        assignment.competition,
    )
    return copy.deepcopy(assignment, {id(one): one for one in fixed})
