"""What students get of a lab: which files of its public folder, and the zip of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from grader.lab.given import given_file
from grader.lab.manifest import Assignment

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first instant a zip can name: same files, same bytes
_UNIX = 3  # the system whose file modes a zip tells; named, so that every system writes the same
_LEFT_OUT = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints"}


def handout_files(assignment: Assignment) -> dict[str, bytes]:
    """Read what a lab hands out, by path below its public folder, in the order of the paths.

    That is what lies in the folder itself, without links, hidden files and caches, and the given
    files, wherever they lie.
    """
    public = assignment.folder
    paths = (file.relative_to(public) for file in public.rglob("*"))
    files = {path.as_posix(): public / path for path in paths if _handed_out(public, path)}
    files |= {path: file for path, file in _shared(assignment) if file.is_file()}
    return {path: files[path].read_bytes() for path in sorted(files)}


def handout_zip(name: str, files: Mapping[str, bytes]) -> bytes:
    """Pack files below one top folder called `name`: the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            info = zipfile.ZipInfo(f"{name}/{path}", _EARLIEST)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = _UNIX
            info.external_attr = 0o644 << 16
            archive.writestr(info, files[path])
    return packed.getvalue()


def _shared(assignment: Assignment) -> Iterator[tuple[str, Path]]:
    """Yield the given files that lie elsewhere, by the path under which they are handed out."""
    for given in assignment.given:
        file = given_file(assignment.folder, given.path)
        if file != assignment.folder / given.path:
            yield given.path, file


def _handed_out(public: Path, path: Path) -> bool:
    if any((public / step).is_symlink() for step in (path, *path.parents[:-1])):
        return False
    if any(name.startswith(".") or name in _LEFT_OUT for name in path.parts):
        return False
    return (public / path).is_file()
