"""The labs of a course, found as folders: a new lab is two new folders, no list is edited.

A lab is ``assignments/<slug>/assignment.toml`` and, for staff, ``reference/<slug>/``. A broken
manifest is reported and hides no other lab.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from grader.errors import ManifestError, ProctorError, UnknownAssignment
from grader.lab.given import REFERENCE
from grader.lab.kept import KeptManifests
from grader.lab.manifest import MANIFEST_NAME, Assignment

ASSIGNMENTS = "assignments"
HOME_VARIABLE = "GRADER_HOME"


@dataclass(frozen=True)
class Lab:
    """One assignment and where its public and its staff's half live."""

    assignment: Assignment
    public: Path  # assignments/<slug>: all a student may see
    reference: Path | None  # reference/<slug>; None on a machine without the staff's half

    @property
    def suite(self) -> Path | None:
        """The folder of the hidden suite, None without the staff's half."""
        return self.reference / "suite" if self.reference else None

    @property
    def mutants(self) -> Path | None:
        """The folder of wrong solutions, None without the staff's half."""
        return self.reference / "mutants" if self.reference else None


@dataclass(frozen=True)
class Catalogue:
    """Every lab below a home folder. Looks at the disk on each call, so an edit counts at once."""

    root: Path
    manifests: KeptManifests = field(default_factory=KeptManifests, repr=False, compare=False)

    def labs(self) -> list[Lab]:
        """Return the labs whose manifests are sound, by slug."""
        return [lab for lab in map(self._try_load, self._folders()) if isinstance(lab, Lab)]

    def problems(self) -> list[ManifestError]:
        """Return what is wrong with the other manifests, by folder."""
        found = map(self._try_load, self._folders())
        return [problem for problem in found if isinstance(problem, ManifestError)]

    def get(self, slug: str) -> Lab:
        """Return a lab by slug.

        Raises UnknownAssignment, which names what comes near; ManifestError if it is broken.
        """
        base = self.root / ASSIGNMENTS
        # Only the name of what lies there is joined: any other text might lead elsewhere.
        if slug not in _names_in(base) or not os.path.exists(base / slug / MANIFEST_NAME):
            known = [folder.name for folder in self._folders()]
            raise UnknownAssignment(self._no_such_lab(slug, known))
        return self._load(base / slug)

    def _folders(self) -> list[Path]:
        manifests = (self.root / ASSIGNMENTS).glob(f"*/{MANIFEST_NAME}")
        return sorted(manifest.parent for manifest in manifests)

    def _load(self, folder: Path) -> Lab:
        reference = self.root / REFERENCE / folder.name
        return Lab(self.manifests.load(folder), folder, reference if reference.is_dir() else None)

    def _try_load(self, folder: Path) -> Lab | ManifestError:
        try:
            return self._load(folder)
        except ManifestError as error:
            return error

    def _no_such_lab(self, slug: str, known: list[str]) -> str:
        near = get_close_matches(slug, known)
        if near:
            return f"there is no assignment {slug!r}; did you mean {' or '.join(near)}?"
        if known:
            return f"there is no assignment {slug!r}; this course has {', '.join(known)}"
        return (
            f"there is no assignment {slug!r}: no {ASSIGNMENTS}/*/{MANIFEST_NAME} in {self.root}; "
            f"run inside the course's checkout or set {HOME_VARIABLE} to it"
        )


def _names_in(folder: Path) -> list[str]:
    """Return the names in a folder, none if it cannot be listed."""
    try:
        return os.listdir(folder)
    except OSError:
        return []


def find_home(start: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds ``assignments/``.

    GRADER_HOME decides if it is set; else the nearest parent of `start` (the current folder by
    default); else the checkout this package lives in. Raises ProctorError if none has it.
    """
    named = environ.get(HOME_VARIABLE)
    if named:
        return _checked_home(Path(named).expanduser())
    start = (start or Path.cwd()).resolve()
    checkout = Path(__file__).resolve().parents[2]
    for folder in (start, *start.parents, checkout):
        if (folder / ASSIGNMENTS).is_dir():
            return folder
    raise ProctorError(
        f"no folder {ASSIGNMENTS}/ in {start} or above it; "
        f"go to the course's checkout or set {HOME_VARIABLE} to it"
    )


def _checked_home(folder: Path) -> Path:
    if not (folder / ASSIGNMENTS).is_dir():
        raise ProctorError(
            f"{HOME_VARIABLE}={folder} holds no folder {ASSIGNMENTS}/; "
            f"set it to the course's checkout or unset it"
        )
    return folder.resolve()
