"""The rule by which a cell names its file; the notebook that is handed out holds the same text.

``grader release`` copies what `RULE` names into the notebook's first cell, so that what that saves
on a student's machine and what is graded are the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

RULE = ("MARK", "APPENDS", "OWN_PATH", "mark_of", "path_of", "own_path", "appends")

MARK = re.compile(
    r"\s*(?:#+\s*(?:file(?:\s*name)?|文件名?)\s*[:：=]|%%(?:write)?file\b(?:\s+(?:-a|--append)\b)?)"
    r"\s*[\"'`<(]*(?P<name>[^\s\"'`<>(),;#（]+)",
    re.IGNORECASE,
)
APPENDS = re.compile(r"\s(?:-a|--append)(?:\s|$)")
OWN_PATH = re.compile(
    r"(?!.*/(?:conftest|setup|test_\w*|\w*_test)\.py)(?:[a-z_]\w*/)+(?:[a-z]\w*|__init__)\.py",
    re.IGNORECASE | re.ASCII,
)


def mark_of(cell: str) -> re.Match[str] | None:
    """Return the mark among the comments and commands that a cell begins with."""
    for line in cell.splitlines():
        found = MARK.match(line)
        if found or line.strip()[:1] not in ("", "#", "%", "!"):
            return found
    return None


def path_of(name: str, paths: Sequence[str]) -> str | None:
    """Return the path that a mark names: in full, or by its last part if only one has that."""
    wanted = "/" + name.replace("\\", "/").lower().removesuffix(".py") + ".py"
    full = [path for path in paths if wanted.endswith("/" + path.lower())]
    last = [path for path in paths if ("/" + path.lower()).endswith(wanted[wanted.rindex("/") :])]
    return next((found[0] for found in (full, last) if len(found) == 1), None)


def own_path(name: str, package: str) -> str | None:
    """Return the path of a module of your own that a mark names, within the package."""
    parts = name.replace("\\", "/").removeprefix("./").split("/")
    parts = parts[parts.index(package) :] if package in parts else [package, *parts]
    path = "/".join(parts)
    return path if OWN_PATH.fullmatch(path) else None


def appends(mark: re.Match[str]) -> bool:
    """Tell whether a mark adds to a file, as ``%%writefile -a`` does."""
    return "%%" in mark[0] and APPENDS.search(mark.string) is not None


def without_mark(text: str) -> str:
    """Return a text without the line of its mark."""
    mark = mark_of(text)
    return text.replace(mark.string, "", 1) if mark else text


def how_to_mark(path: str) -> str:
    """Say how a cell becomes a graded file."""
    return f"start the cell with the line '# file: {path}', or give it the tag '{path}'"
