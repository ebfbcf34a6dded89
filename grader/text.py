"""Making untrusted text safe to show: on a terminal, on a page, in a file.

Student code chooses what it prints and raises, and how its files are called. Such text may
hold terminal commands, characters that turn the reading order round, or megabytes of noise.
Escaping for HTML, CSV or XML is left to whoever writes that format.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

DEFAULT_LIMIT = 20_000  # characters; a long traceback is some 5,000
LINE_LIMIT = 300

_TERMINAL = re.compile(
    r"""
      (?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])   # OSC, DCS, SOS, PM, APC: a string ...
      [^\x07\x1b\x9c]{0,4096}
      (?:\x07|\x1b\\|\x9c|(?=\x1b)|$)?          # ... up to BEL or ST
    | (?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?         # CSI: colours, cursor movements
    | \x1b[ -/]*[0-~]?                          # any other escape
    """,
    re.VERBOSE,
)
_NEWLINES = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
_LONGEST_NAME = 120
_MOST_NAMES = 100


def clean(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return text of at most `limit` characters without terminal, control or bidi characters.

    Every kind of line end becomes a newline; of a longer text its start and its end are kept.
    """
    total = len(text)
    # Cut before the work as well as after: the text may be 100 MB of escapes.
    text = _shorten(text, 4 * limit, total)
    text = _NEWLINES.sub("\n", _TERMINAL.sub("", text))
    return _shorten(
        "".join(char for char in text if char in "\n\t" or not invisible(char)), limit, total
    )


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `clean` text on one line, for names, titles and paths."""
    return " ".join(clean(text, limit).split())


def shown(name: str) -> str:
    """Return a name that is safe to display: one line, each hidden character made visible."""
    visible = "".join("\N{REPLACEMENT CHARACTER}" if invisible(char) else char for char in name)
    if len(visible) <= _LONGEST_NAME:
        return visible
    half = _LONGEST_NAME // 2 - 1
    return f"{visible[:half]}...{visible[-half:]}"


def shown_list(names: Sequence[str]) -> tuple[str, ...]:
    """Return names for display, long lists cut with a count of the rest."""
    listed = [shown(name) for name in names[:_MOST_NAMES]]
    if len(names) > _MOST_NAMES:
        listed.append(f"and {len(names) - _MOST_NAMES} more")
    return tuple(listed)


def megabytes(size: float) -> str:
    """Return a size in bytes for people: ``0.3 MB``."""
    return f"{size / 1_000_000:,.1f} MB"


def invisible(char: str) -> bool:
    """Tell whether a character hides, moves or breaks the text around it."""
    # Cc control, Cf format (bidi, zero width), Cs surrogates, Co private, Cn unassigned.
    return unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"


def _shorten(text: str, limit: int, total: int) -> str:
    if len(text) <= limit:
        return text
    note = f"\n[... {total:,} characters in all, the middle is left out ...]\n"
    if limit < 2 * len(note):
        return text[: max(limit - 1, 0)] + "…"[:limit]
    head = (limit - len(note)) // 2
    tail = limit - len(note) - head
    return text[:head] + note + text[len(text) - tail :]
