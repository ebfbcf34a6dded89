"""The addresses of static files, for every page."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, current_app, url_for


def asset(filename: str) -> str:
    """Return the address of a static file, changed whenever its content changes."""
    folder = Path(str(current_app.static_folder))
    return url_for("static", filename=filename, v=_fingerprint(folder / filename))


@lru_cache
def _fingerprint(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def init_app(app: Flask) -> None:
    """Give every template `asset`."""
    app.context_processor(lambda: {"asset": asset})
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # addresses carry a fingerprint
