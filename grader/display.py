"""Text of a student's made safe to show: names and messages on one line, cut to length."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_LONGEST_SHOWN = 120
_MOST_SHOWN = 100


def shown(name: str) -> str:
    """Return a name that is safe to display: one line, no control or direction characters."""
    clean = "".join("\N{REPLACEMENT CHARACTER}" if invisible(char) else char for char in name)
    if len(clean) <= _LONGEST_SHOWN:
        return clean
    half = _LONGEST_SHOWN // 2 - 1
    return f"{clean[:half]}...{clean[-half:]}"


def shown_list(names: Sequence[str]) -> tuple[str, ...]:
    """Return names for display, long lists cut with a count of the rest."""
    listed = [shown(name) for name in names[:_MOST_SHOWN]]
    if len(names) > _MOST_SHOWN:
        listed.append(f"and {len(names) - _MOST_SHOWN} more")
    return tuple(listed)


def megabytes(size: float) -> str:
    """Return a size in bytes for people: ``0.3 MB``."""
    return f"{size / 1_000_000:,.1f} MB"


def invisible(char: str) -> bool:
    """Tell whether a character hides, moves or breaks the text around it."""
    # Cc control, Cf format (bidi, zero width), Cs surrogates, Co private, Cn unassigned.
    return unicodedata.category(char)[0] == "C" or char in "\u2028\u2029"
