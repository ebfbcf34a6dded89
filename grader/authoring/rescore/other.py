"""The other suite: of a git revision, of another folder, or as an earlier run's reports tell."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from grader.errors import ProctorError
from grader.lab.catalogue import ASSIGNMENTS, Catalogue
from grader.lab.given import DATASETS, REFERENCE
from grader.report.export import from_json
from grader.report.report import Report


def reports_in(against: str) -> list[Report] | None:
    """Return the reports of a file that `grader run --json` wrote; None if it is no file."""
    file = Path(against)
    if not file.is_file():
        return None
    try:
        return from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ProctorError(f"{file}: cannot be read: {error}") from None


@contextmanager
def other_home(home: Path, slug: str, against: str) -> Iterator[Catalogue]:
    """Give the labs of another home: those of a folder, or of a git revision of `home`.

    A revision's files are unpacked into a temporary folder for as long as the block lasts.
    Raises ProctorError if `against` is neither.
    """
    folder = Path(against)
    if folder.is_dir():
        if not (folder / ASSIGNMENTS).is_dir():
            raise ProctorError(f"{folder}: holds no folder {ASSIGNMENTS}/; name another home.")
        yield Catalogue(folder.resolve())
        return
    with tempfile.TemporaryDirectory(prefix="rescore-") as name:
        _unpack(home, slug, against, Path(name))
        yield Catalogue(Path(name))


def _unpack(home: Path, slug: str, revision: str, target: Path) -> None:
    """Write the lab of a revision, and the data loaders it may use, below `target`."""
    top = _git(home, "rev-parse", "--show-toplevel")
    tree = _git(home, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{tree}}")
    if top is None or tree is None:
        raise ProctorError(
            f"{revision!r} is no file of reports, no folder and no git revision of {home}."
        )
    root = Path(_line(top))
    prefix = home.resolve().relative_to(root.resolve()).as_posix()
    whole = _line(tree) if prefix == "." else f"{_line(tree)}:{prefix}"
    wanted = (f"{ASSIGNMENTS}/{slug}", f"{REFERENCE}/{slug}", f"{REFERENCE}/{DATASETS}")
    present = [
        path for path in wanted if _git(root, "cat-file", "-e", _at(whole, path)) is not None
    ]
    if wanted[0] not in present:
        raise ProctorError(f"the revision {revision!r} has no {wanted[0]}/.")
    packed = _git(root, "archive", "--format=tar", whole, "--", *present)
    if packed is None:
        raise ProctorError(f"git could not unpack {revision!r}.")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")


def _at(tree: str, path: str) -> str:
    return f"{tree}/{path}" if ":" in tree else f"{tree}:{path}"


def _line(output: bytes) -> str:
    return output.decode().strip()


def _git(home: Path, *arguments: str) -> bytes | None:
    """Return what git says; None if it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; a revision is never an option
            ["git", "-C", str(home), *arguments],  # noqa: S607
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise ProctorError(f"git cannot be run ({error.strerror}); install it.") from None
    return done.stdout if done.returncode == 0 else None
