"""Making untrusted text safe to show: on a terminal, on a page, in a file.

Student code chooses what it prints and raises, and how its files are called. Such text may
hold terminal commands, characters that turn the reading order round, or megabytes of noise.
Escaping for HTML, CSV or XML is left to whoever writes that format.
"""

from __future__ import annotations

import re
import unicodedata

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
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_INVISIBLE = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad")


def clean(text: str, limit: int = DEFAULT_LIMIT) -> str:
    """Return text of at most `limit` characters without terminal, control or bidi characters.

    Every kind of line end becomes a newline; of a longer text its start and its end are kept.
    """
    total = len(text)
    # Cut before the work as well as after: the text may be 100 MB of escapes.
    text = _shorten(text, 4 * limit, total)
    text = _NEWLINES.sub("\n", _TERMINAL.sub("", text))
    return _shorten("".join(filter(_shown, text)), limit, total)


def clean_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Return `clean` text on one line, for names, titles and paths."""
    return " ".join(clean(text, limit).split())


def _shown(char: str) -> bool:
    if char in "\n\t":
        return True
    if char in _BIDI or char in _INVISIBLE:
        return False
    # Cc control, Cs lone surrogate (not encodable), Cn unassigned, Co private use
    return unicodedata.category(char) not in {"Cc", "Cs", "Cn", "Co"}


def _shorten(text: str, limit: int, total: int) -> str:
    if len(text) <= limit:
        return text
    note = f"\n[... {total:,} characters in all, the middle is left out ...]\n"
    if limit < 2 * len(note):
        return text[: max(limit - 1, 0)] + "…"[:limit]
    head = (limit - len(note)) // 2
    tail = limit - len(note) - head
    return text[:head] + note + text[len(text) - tail :]
