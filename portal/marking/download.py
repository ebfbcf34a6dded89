"""The uploads that a filter finds, as one zip to download."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from grader.api import Catalogue, clean
from portal.code.files import taken
from portal.courses.anonymity import Veil
from portal.courses.models import Enrolment
from portal.marking.finding import Filter, matching
from portal.people.models import User
from portal.platform.errors import UnknownDigest
from portal.platform.store import Store
from portal.submissions.models import Submission


@dataclass(frozen=True)
class NamedUpload:
    """An upload, and where it lies in a zip of many."""

    folder: str
    submission: Submission
    hidden: bool  # its student's name is not for the reader

    @property
    def name(self) -> str:
        """Its path, as it came."""
        return f"{self.folder}/{_file_name(self.submission.filename)}"


def uploads_of(session: Session, wanted: Filter, veil: Veil) -> list[NamedUpload]:
    """Return the uploads that a filter finds, each in a folder of its own.

    It is named by its student and attempt, as `grader run` reads a class, and lies with those of
    its lab if the filter leaves that open.
    """
    query = (
        select(Submission, User.username)
        .join(Submission.enrolment)
        .join(Enrolment.user)
        .where(Submission.id.in_(matching(wanted)))
        .options(joinedload(Submission.offering))
    )
    found = [
        (one, veil.stem(one.enrolment_id, one.offering_id, username))
        for one, username in session.execute(query)
    ]
    found.sort(key=lambda pair: (pair[0].offering_id, pair[1], pair[0].attempt))
    several = wanted.offering_id is None
    return [
        NamedUpload(
            (f"lab-{one.offering_id}/" if several else "") + f"{stem}-{one.attempt}",
            one,
            veil.hides(one.enrolment_id, one.offering_id),
        )
        for one, stem in found
    ]


def zipped(catalogue: Catalogue, store: Store, uploads: Sequence[NamedUpload]) -> Iterator[bytes]:
    """Yield a zip of uploads, piece by piece; one whose bytes are gone is left out.

    They are as they came, but of a hidden student as intake takes them: a name may stand in the
    names of what was sent.
    """
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:  # most are packed already
        for one in uploads:
            for name, content in _contents(catalogue, store, one):
                archive.writestr(zipfile.ZipInfo(name), content)
            yield pieces.take()
    yield pieces.take()


def _contents(catalogue: Catalogue, store: Store, one: NamedUpload) -> list[tuple[str, bytes]]:
    if one.hidden:
        files = taken(catalogue, store, one.submission)
        return [(f"{one.folder}/{path}", content) for path, content in files]
    with suppress(UnknownDigest):
        return [(one.name, store.get(one.submission.upload_sha256))]
    return []


class _Pieces(io.RawIOBase):
    """What has been written since it was last taken; cannot be sought in, as a connection."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        """Tell that it can."""
        return True

    def write(self, data: Any, /) -> int:
        """Keep bytes until they are taken."""
        self._written += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written, and forget it."""
        taken, self._written = bytes(self._written), bytearray()
        return taken


def _file_name(sent: str) -> str:
    """Return the name of an upload as it may stand in a folder."""
    return re.sub(r'[\\/:*?"<>|]', "_", clean(sent)).strip(". ") or "upload"
