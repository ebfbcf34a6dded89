"""The students' folder with the reference as their solution, to run a lab as they would."""

from __future__ import annotations

from pathlib import Path

from grader.authoring.release.contents import plan_release
from grader.authoring.solutions import reference_submission
from grader.errors import AuthoringError
from grader.lab.catalogue import Catalogue


def write_solved(home: Path, slug: str, folder: Path, variant: str | None = None) -> int:
    """Write everything that students get, their files solved, below `folder`; return how many.

    A variant's own answers are in them. Raises UnknownAssignment, ManifestError, GradingError, or
    AuthoringError where the lab cannot be released or something lies in the folder already.
    """
    solution = reference_submission(Catalogue(home).get(slug), variant)
    files = plan_release(home, slug).files | {file.path: file.content for file in solution.files}
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise AuthoringError([f"{folder} is no empty folder; name another, or remove it"])
    for path, content in sorted(files.items()):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return len(files)
