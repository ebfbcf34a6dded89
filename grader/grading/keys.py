"""The grading key: the secret from which hidden inputs are drawn.

The same key and submission give the same inputs, so whoever holds the key can repeat a grading
run; a student who held it could prepare for the inputs.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from grader.errors import ProctorError

KEY_VARIABLE = "GRADER_KEY"
KEY_BYTES = 32
_MIN_BYTES = 16


def grading_key(file: Path | None = None, environ: Mapping[str, str] = os.environ) -> bytes:
    """Return the key: from `file`, else from GRADER_KEY, else from the user's own key file.

    The user's own file is made, readable by them alone, when it is first needed. Raises
    ProctorError if a key is there and cannot be used.
    """
    if file is not None:
        return _read(file)
    if environ.get(KEY_VARIABLE):
        return _parse(environ[KEY_VARIABLE], KEY_VARIABLE)
    own = own_key_file(environ)
    if not own.exists():
        _create(own)
    if own.stat().st_mode & 0o077:
        raise ProctorError(f"{own}: others may read the grading key; run: chmod 600 {own}")
    return _read(own)


def own_key_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return where the user's own key lives, below XDG_DATA_HOME."""
    data = environ.get("XDG_DATA_HOME")
    base = Path(data) if data else Path(environ.get("HOME") or Path.home()) / ".local" / "share"
    return base / "proctor" / "grading.key"


def _read(file: Path) -> bytes:
    try:
        return _parse(file.read_text(encoding="ascii"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ProctorError(f"{file}: the grading key cannot be read: {error}") from None


def _parse(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < _MIN_BYTES:
        raise ProctorError(
            f"{where}: a grading key is at least {2 * _MIN_BYTES} hexadecimal digits; make one "
            "with: openssl rand -hex 32"
        )
    return key


def _create(file: Path) -> None:
    """Write a fresh key; of two processes that try at once, the second keeps the first's."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as out:
            out.write(secrets.token_hex(KEY_BYTES) + "\n")
        try:
            os.link(temporary, file)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
