"""The files of a submission as intake takes them, as lines that a page may show."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass

from grader.api import Catalogue, ManifestError, Rejected, UnknownAssignment, clean, receive_bytes
from portal.platform.errors import UnknownDigest
from portal.platform.store import Store
from portal.submissions.models import Submission

SHOWN_CHARACTERS = 200_000


@dataclass(frozen=True)
class CodeFile:
    """A graded file as it may be shown."""

    path: str
    size: int
    lines: tuple[str, ...] | None  # None: not text


def files_of(catalogue: Catalogue, store: Store, submission: Submission) -> list[CodeFile]:
    """Return the files of a submission as intake takes them; none if its lab or bytes are gone."""
    return [
        CodeFile(path, len(content), _lines(content))
        for path, content in taken(catalogue, store, submission)
    ]


def taken(catalogue: Catalogue, store: Store, submission: Submission) -> list[tuple[str, bytes]]:
    """Return the paths and bytes of these files, without what its sender called anything."""
    try:
        lab = catalogue.get(submission.offering.assignment_slug or "")
        data = store.get(submission.upload_sha256)
        accepted = receive_bytes(submission.filename, data, lab.assignment)
    except (UnknownAssignment, ManifestError, UnknownDigest, Rejected):
        return []
    return [(file.path, file.content) for file in accepted.files]


def packed(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Return files as a zip."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files:
            archive.writestr(zipfile.ZipInfo(path), content)
    return target.getvalue()


def _lines(content: bytes) -> tuple[str, ...] | None:
    if b"\x00" in content:
        return None
    return tuple(clean(content.decode("utf-8", "replace"), SHOWN_CHARACTERS).splitlines())
