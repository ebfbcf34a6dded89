"""Content-addressed files: the bytes of uploads and of pictures, each under its SHA-256.

`put` returns only when the bytes would survive a power cut, so a database row may point to them.
Only tests of other things have a store that is not `durable`.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from portal.platform.errors import UnknownDigest

_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Store:
    """A folder of files named by the SHA-256 of their content, spread over 256 folders."""

    root: Path
    durable: bool = True

    def put(self, data: bytes) -> str:
        """Keep `data` durably and return its digest; writing the same bytes twice is harmless."""
        digest = hashlib.sha256(data).hexdigest()
        target = self._place(digest)
        if not target.is_file():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._sync(self.root)
            self._write(target, data)
        # Also when the file was there: its first writer may not have come to this point yet.
        self._sync(target.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the bytes of a digest; UnknownDigest if they are not here."""
        return self.path(digest).read_bytes()

    def path(self, digest: str) -> Path:
        """Return the file of a digest; UnknownDigest if it is not here."""
        place = self._place(digest)
        if not place.is_file():
            raise UnknownDigest(f"the store {self.root} holds no file {digest}")
        return place

    def __contains__(self, digest: str) -> bool:
        return _DIGEST.fullmatch(digest) is not None and self._place(digest).is_file()

    def _place(self, digest: str) -> Path:
        if not _DIGEST.fullmatch(digest):
            raise UnknownDigest(f"{digest!r} is not a SHA-256 in lower-case hexadecimal")
        return self.root / digest[:2] / digest

    def _write(self, target: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".incoming-")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                if self.durable:
                    os.fsync(stream.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def _sync(self, folder: Path) -> None:
        """Force to the disk which files a folder has."""
        if not self.durable:
            return
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
