"""What arrived with an upload: the bytes as they are stored, and what intake made of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from grader.api import Assignment, Rejected, invisible, pack_together, plain, receive_bytes
from grader.api import Submission as AcceptedFiles
from portal.platform.language import Phrase, lazy

ON_THE_WAY = timedelta(minutes=6)  # the longest that an upload may take to arrive
_LONGEST_NAME = 255  # characters, as the column has


class SentWrongly(Rejected):
    """What a browser sent is no upload yet: the portal itself refuses it, before intake does."""

    def __init__(self, phrases: Sequence[Phrase]) -> None:
        super().__init__([phrase.source for phrase in phrases])
        self.phrases = phrases


class ArrivedFile(BaseModel):
    """A file that will be graded."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    size: int
    sha256: str


class Arrival(BaseModel):
    """What intake said about an upload; kept with the submission as JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[ArrivedFile, ...]
    ignored: tuple[str, ...] = ()  # names, cleaned for display
    notices: tuple[str, ...] = ()  # sentences for the student
    pledge: str = ""  # what the student agreed to with it
    score_alone: bool = False  # sent past the day's limit: until the lab closes, no more is shown

    def changed_since(self, earlier: Arrival) -> tuple[str, ...]:
        """Return the paths that are new, gone or different against an earlier arrival."""
        mine = {file.path: file.sha256 for file in self.files}
        theirs = {file.path: file.sha256 for file in earlier.files}
        return tuple(path for path in sorted(mine | theirs) if mine.get(path) != theirs.get(path))


@dataclass(frozen=True)
class SentFile:
    """A file as the browser sent it. The name is the sender's word."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Upload:
    """An accepted upload, ready to be stored and booked."""

    filename: str
    data: bytes
    content_digest: str
    arrival: Arrival

    @property
    def sha256(self) -> str:
        """Digest of the bytes as stored: of the file itself if one was sent."""
        return hashlib.sha256(self.data).hexdigest()

    def past_limit(self) -> Upload:
        """Return it as one that was sent past the day's limit."""
        return replace(self, arrival=self.arrival.model_copy(update={"score_alone": True}))

    def columns(self) -> dict[str, Any]:
        """Return what a row says of the upload, by column."""
        return {
            "upload_sha256": self.sha256,
            "filename": self.filename,
            "size": len(self.data),
            "content_digest": self.content_digest,
            "intake": self.arrival.model_dump_json(),
        }


def receive(sent: Sequence[SentFile], assignment: Assignment, *, pledge: str = "") -> Upload:
    """Pass what was sent through intake; `pledge` is what its sender agreed to.

    Raises Rejected with every reason; nothing has been kept then.
    """
    files = [file for file in sent if file.name]
    if not files:
        raise SentWrongly([lazy("No file was chosen. Choose your files, then press Submit.")])
    filename, data = _as_one([SentFile(_kept_name(file.name), file.data) for file in files])
    # Judged under the name that is stored: grading reads the upload again under that one.
    accepted = receive_bytes(filename, data, assignment)
    return Upload(filename, data, accepted.digest, _arrival(accepted, pledge))


def _kept_name(name: str) -> str:
    """Return a name that a page, a log and a database take: hidden characters made visible."""
    visible = "".join("\N{REPLACEMENT CHARACTER}" if invisible(char) else char for char in name)
    return plain(visible[-_LONGEST_NAME:])


def _as_one(files: Sequence[SentFile]) -> tuple[str, bytes]:
    """Return one file's name and bytes as they are; several packed together.

    Raises Rejected if two files have one name: a zip would hold them, no folder can.
    """
    if len(files) == 1:
        return files[0].name, files[0].data
    doubled = [name for name, times in Counter(file.name for file in files).items() if times > 1]
    if doubled:
        raise SentWrongly(
            [
                lazy("%(file)s was sent more than once. Keep one of them.", file=name)
                for name in doubled
            ]
        )
    return f"{len(files)}-files.zip", pack_together((file.name, file.data) for file in files)


def _arrival(accepted: AcceptedFiles, pledge: str) -> Arrival:
    return Arrival(
        files=tuple(
            ArrivedFile(path=file.path, size=len(file.content), sha256=file.sha256)
            for file in accepted.files
        ),
        ignored=accepted.ignored,
        notices=accepted.notices,
        pledge=pledge,
    )
