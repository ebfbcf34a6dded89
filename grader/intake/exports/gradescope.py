"""The one file of a Gradescope export that says whose folder is whose.

It is a regular one, written by one program, and repeats every test's output: a YAML library takes
seconds for each megabyte of that. So only lines of the one form that holds names are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from grader.text import clean_line

METADATA = "submission_metadata.yml"
_MOST_BYTES = 100_000_000
_LONGEST_NAME = 120
_MOST_NAMES = 20  # of one team

_KEY = re.compile(r"""(?P<indent> *)(?P<item>- +)?["']?:?(?P<key>\w+)["']?: *(?P<value>.*)""")
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))")


def submitters(file: Path) -> dict[str, str]:
    """Return folder -> names of those who submitted; a folder without a readable name is absent."""
    with file.open("rb") as opened:
        text = opened.read(_MOST_BYTES).decode("utf-8-sig", "replace")
    found: dict[str, list[str]] = {}
    for folder, name in _names(text):
        names = found.setdefault(folder, [])
        if name and name not in names and len(names) < _MOST_NAMES:
            names.append(name)
    return {folder: ", ".join(names) for folder, names in found.items() if names}


def _names(text: str) -> Iterator[tuple[str, str]]:
    """Yield folder and name for each ``:name:`` below a folder's own ``:submitters:``.

    What is deeper than the folder's own keys belongs to other things: an earlier attempt has
    submitters too, and a test's output may say anything.
    """
    folder, depth, within = "", 0, -1
    for line in text.splitlines():
        found = _KEY.fullmatch(line)
        if found is None:
            continue
        indent, is_item = len(found["indent"]), found["item"] is not None
        if indent == 0 and not is_item:
            folder, depth, within = found["key"], 0, -1
            continue
        depth = depth or indent
        if indent == depth and not is_item:
            within = indent if found["key"] == "submitters" and not found["value"] else -1
        elif within >= 0 and found["key"] == "name":
            yield folder, clean_line(_scalar(found["value"].strip()), _LONGEST_NAME)


def _scalar(text: str) -> str:
    """Return what a value says, with or without quotes."""
    quote = text[:1]
    if quote not in ("'", '"'):
        return text.partition(" #")[0]
    inner = text[1:].removesuffix(quote)
    return inner.replace("''", "'") if quote == "'" else _ESCAPE.sub(_escaped, inner)


def _escaped(found: re.Match[str]) -> str:
    number = next((part for part in found.groups()[:3] if part), None)
    if number is None:
        return found[4] if found[4] in '"\\/ ' else " "
    return chr(int(number, 16)) if int(number, 16) <= 0x10FFFF else ""
