"""Names found in uploads: which of them are tricks, and which are tools' own."""

from __future__ import annotations

import re
import unicodedata

from grader.text import invisible

_DEVICE_NAMES = re.compile(
    r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[\d\u00b9\u00b2\u00b3])(\..*)?", re.IGNORECASE
)
_DRIVE = re.compile(r"[A-Za-z]:")
# Browsers and mail programs put an ending of their own behind a notebook's.
_NOTEBOOK_ENDINGS = (".ipynb", ".ipynb.json", ".ipynb.txt")

# Folders that tools make by themselves; nothing below them is anybody's work.
_TOOL_FOLDERS = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "env"}


def with_slashes(name: str) -> str:
    """Return a name with forward slashes, as some Windows tools do not write them."""
    return name.replace("\\", "/")


def relative(name: str) -> str:
    """Return an entry's name without the steps that lead nowhere: ``./fnn//layers.py``."""
    return "/".join(part for part in with_slashes(name).split("/") if part not in ("", "."))


def plain(filename: str) -> str:
    """Reduce the name a browser sent to its plain parts: no drive, root, ``.`` or ``..``."""
    parts = with_slashes(filename).split("/")
    kept = [part for part in parts if part not in ("", ".", "..") and not _DRIVE.fullmatch(part)]
    return "/".join(kept) or "upload"


def why_unsafe(name: str) -> str | None:
    """Say what is wrong with the name of an archive's entry, None if nothing is."""
    name = with_slashes(name)
    parts = name.rstrip("/").split("/")
    if not name.startswith("/") and not (relative(name) if name[-1:] != "/" else parts[0]):
        return "has no name"
    if any(map(invisible, name)):
        return "has invisible or control characters in its name"
    if name.startswith("/") or _DRIVE.match(name):
        return "is an absolute path"
    if ".." in parts:
        return "points outside the upload"
    if any(_DEVICE_NAMES.fullmatch(part.strip()) for part in parts):
        return "has a name that Windows keeps for devices"
    if any(part != part.rstrip(". ") for part in parts if part != "."):
        return "has a name that ends with a dot or a space"
    return None


def clash_key(name: str) -> str:
    """Return what two names share if some file system takes them for the same."""
    return unicodedata.normalize("NFC", with_slashes(name)).casefold()


def is_notebook(name: str) -> bool:
    """Tell whether a name is a notebook's, also with the ending that a download added."""
    return name.lower().endswith(_NOTEBOOK_ENDINGS)


def made_by_tools(name: str) -> bool:
    """Tell whether a name lies in a hidden or tool-made folder, or is itself hidden."""
    return any(part.startswith(".") or part in _TOOL_FOLDERS for part in name.split("/"))
