"""The folder of kept results: JSON files under their keys, sealed with the grading key.

A file is written beside its place and moved into it, so a reader meets all of it or nothing, and
whoever dies while writing leaves a cache that can be used. What cannot be read, or bears another
seal, is removed and counted: it costs a test, never a wrong result. Nothing is unpickled. The seal
is an HMAC: whoever lacks the grading key cannot put a result here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

FOLDER_VARIABLE = "GRADER_CACHE"
LIMIT_MB = 1024
_LEFT_OVER_SECONDS = 3600.0  # after which a file that was never finished is nobody's any more
_WRITES_BETWEEN_TRIMS = 5000
_LEFT_AFTER_TRIM = 0.8  # of the limit, so that not every write has to trim
_BLOCK = 512


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where results are kept: GRADER_CACHE, else below XDG_CACHE_HOME."""
    named = environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    cache = environ.get("XDG_CACHE_HOME")
    home = Path(environ.get("HOME") or Path.home())
    return (Path(cache) if cache else home / ".cache") / "proctor" / "results"


@dataclass(frozen=True)
class Extent:
    """How much is kept."""

    entries: int
    size: int  # bytes on disk


class ResultCache:
    """Results by key; used from any thread and by several processes at once."""

    def __init__(self, folder: Path, *, limit_mb: int = LIMIT_MB, reads: bool = True) -> None:
        """Keep results in a folder; without `reads` nothing of it is used, only replaced."""
        self.folder = folder
        self._reads = reads
        self.unreadable = 0  # entries that were found damaged or with another seal, and removed
        self._limit = limit_mb * 2**20
        self._writes = 0
        self._guard = threading.Lock()

    def get(self, model: type[Model], key: str, secret: bytes) -> Model | None:
        """Return what is kept under a key, None if nothing can be used."""
        if not self._reads:
            return None
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None
        try:
            sealed = json.loads(content)
            body = str(sealed["body"])
            if not hmac.compare_digest(_seal(secret, key, body), str(sealed["seal"])):
                raise ValueError("another seal")
            found = model.model_validate(json.loads(body))
        except (ValueError, TypeError, KeyError, RecursionError, ValidationError):
            with self._guard:
                self.unreadable += 1
            file.unlink(missing_ok=True)
            return None
        with suppress(OSError):
            os.utime(file)  # what is used stays longest
        return found

    def put(self, key: str, value: BaseModel, secret: bytes) -> None:
        """Keep a value under a key. A full or missing disk costs the cache, never a grading."""
        body = json.dumps(value.model_dump(mode="json"))
        content = json.dumps({"seal": _seal(secret, key, body), "body": body})
        file = self._file(key)
        temporary = file.with_name(f".{key}.{os.getpid()}.{threading.get_ident()}")
        try:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)  # entries hold what hidden tests saw
            temporary.write_text(content, encoding="utf-8")
            temporary.replace(file)
        except OSError:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            return
        with self._guard:
            self._writes += 1
            due = self._writes % _WRITES_BETWEEN_TRIMS == 0
        if due:
            self.trim()

    def extent(self) -> Extent:
        """Count what is kept."""
        files = list(self._entries())
        return Extent(len(files), sum(size for _, size, _ in files))

    def trim(self, limit_mb: int | None = None) -> int:
        """Remove what was used longest ago until the rest fits; return how many entries went."""
        limit = self._limit if limit_mb is None else limit_mb * 2**20
        entries = sorted(self._entries())
        size = sum(entry[1] for entry in entries)
        if size <= limit:
            return 0
        removed = 0
        for _, own, file in entries:
            if size <= limit * _LEFT_AFTER_TRIM:
                break
            file.unlink(missing_ok=True)
            size -= own
            removed += 1
        return removed

    def close(self) -> None:
        """Trim, if this object has written anything."""
        if self._writes:
            self.trim()

    def _file(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"

    def _entries(self) -> Iterator[tuple[float, int, Path]]:
        """Yield (last use, size, file) of every entry; remove what was never finished."""
        for folder in self.folder.glob("[0-9a-f][0-9a-f]"):
            for file in folder.iterdir():
                try:
                    about = file.stat()
                except OSError:  # another process has removed it
                    continue
                if file.suffix == ".json" and not file.name.startswith("."):
                    yield about.st_mtime, about.st_blocks * _BLOCK, file
                elif time.time() - about.st_mtime > _LEFT_OVER_SECONDS:
                    file.unlink(missing_ok=True)


def _seal(secret: bytes, key: str, body: str) -> str:
    return hmac.new(secret, f"result\n{key}\n{body}".encode(), hashlib.sha256).hexdigest()
