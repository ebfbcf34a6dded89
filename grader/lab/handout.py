"""What students get of a lab: which files of its public folder, and the zip of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first instant a zip can name: same files, same bytes
_UNIX = 3  # the system whose file modes a zip tells; named, so that every system writes the same
_LEFT_OUT = {"__pycache__", ".pytest_cache", ".ipynb_checkpoints"}


def handout_files(public: Path) -> dict[str, bytes]:
    """Read what a lab's public folder hands out, by path below it, in the order of the paths.

    Links, hidden files and caches stay out: only what lies in the folder itself is handed out.
    """
    paths = (file.relative_to(public) for file in public.rglob("*"))
    return {
        path.as_posix(): (public / path).read_bytes()
        for path in sorted(paths, key=Path.as_posix)
        if _handed_out(public, path)
    }


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


def _handed_out(public: Path, path: Path) -> bool:
    if any((public / step).is_symlink() for step in (path, *path.parents[:-1])):
        return False
    if any(name.startswith(".") or name in _LEFT_OUT for name in path.parts):
        return False
    return (public / path).is_file()
