"""Which encoding a text of unknown origin is in: marked, certain, or the most plausible one.

Pages of code overlap: Chinese bytes are also Latin letters, and the other way round. A guess is
judged by what it would make of the bytes beyond ASCII: characters that people write often, or
rare ones and symbols.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

_MARKS = (  # the longer ones first: that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_Range = tuple[int, int]
_Plausibility = Callable[[str, str], float]  # of a character, given the one before it
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_ORDINARY = re.compile(r"[\t\n\r -~\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
_LEAST_ORDINARY = 0.8  # of a text whose order of bytes is not marked
_MOST_JUDGED = 20_000  # characters beyond ASCII; the rest of a text is no other


@dataclass(frozen=True)
class DecodedText:
    """A text and the encoding it was read in."""

    text: str
    encoding: str  # for people: UTF-8, UTF-16, GBK, Big5, Windows-1252
    is_guess: bool  # whether other encodings would read the bytes too


def decode_text(data: bytes) -> DecodedText | None:
    """Read bytes as text; None if they are no text in any encoding that is known here."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            return _strictly(data, codec, name, is_guess=False)
    if b"\0" in data:
        return _unmarked_utf16(data)
    return _strictly(data, "utf-8", "UTF-8", is_guess=False) or _most_plausible(data)


def decode_as(data: bytes, name: str) -> DecodedText | None:
    """Read bytes in an encoding that a person chose by name; None if they are no text in it.

    Raises KeyError for a name that none here has.
    """
    return _strictly(data, _CODECS[name], name, is_guess=False)


def encodings_of(data: bytes) -> tuple[str, ...]:
    """Return the names of the encodings that read these bytes, for a person to choose from."""
    return tuple(name for name in _CODECS if decode_as(data, name))


def _strictly(data: bytes, codec: str, name: str, *, is_guess: bool) -> DecodedText | None:
    try:
        return DecodedText(data.decode(codec), name, is_guess)
    except UnicodeDecodeError:
        return None


def _unmarked_utf16(data: bytes) -> DecodedText | None:
    """Read UTF-16 without its mark, if either order of bytes makes an ordinary text of it."""
    orders = [
        _strictly(data, codec, "UTF-16", is_guess=True) for codec in ("utf-16-le", "utf-16-be")
    ]
    found = [text for text in orders if text and _ordinary(text) >= _LEAST_ORDINARY]
    return max(found, key=_ordinary, default=None)


def _ordinary(found: DecodedText) -> float:
    """Return how much of a text is ASCII or Chinese, controls left out."""
    text = found.text[:_MOST_JUDGED]
    return len(_ORDINARY.findall(text)) / max(1, len(text))


def _most_plausible(data: bytes) -> DecodedText | None:
    best, most = None, 0.0
    for codec, name, plausibility in _PAGES:
        found = _strictly(data, codec, name, is_guess=True)
        likely = _likely(found.text, plausibility) if found else 0.0
        if likely > most:
            best, most = found, likely
    return best


def _likely(text: str, plausibility: _Plausibility) -> float:
    """Return how plausible the characters beyond ASCII are, 1 being an ordinary text."""
    found = islice(_BEYOND_ASCII.finditer(text), _MOST_JUDGED)
    likely = [plausibility(text[max(0, one.start() - 1)], one[0]) for one in found]
    return sum(likely) / max(1, len(likely))


def _chinese(codec: str, often: _Range, seldom: _Range, signs: _Range) -> _Plausibility:
    """Judge a character by its place in a page that puts frequent characters first."""

    def plausibility(_before: str, char: str) -> float:
        raw = char.encode(codec, "replace")
        at = int.from_bytes(raw, "big")
        if len(raw) != 2 or (codec == "gb18030" and raw[1] < 0xA1):
            return 0.2 if char.isalpha() else 0.0
        if often[0] <= at <= often[1] or signs[0] <= at <= signs[1]:
            return 1.0
        return 0.5 if seldom[0] <= at <= seldom[1] else 0.0

    return plausibility


def _western(before: str, char: str) -> float:
    """Judge a letter with an accent by its neighbour: words are not made of them alone."""
    if char.isalpha():
        return 1.0 if before <= "\x7f" else 0.4
    return 0.8 if char in "\u2018\u2019\u201c\u201d\u2013\u2014\u2026\u20ac\u00b0\u00a0" else 0.1


# GB 2312 and Big5 each have their most frequent characters first, then the rarer ones.
_PAGES = (
    ("gb18030", "GBK", _chinese("gb18030", (0xB0A1, 0xD7FE), (0xD8A1, 0xF7FE), (0xA1A1, 0xA3FE))),
    ("big5", "Big5", _chinese("big5", (0xA440, 0xC67E), (0xC940, 0xF9D5), (0xA140, 0xA3BF))),
    ("cp1252", "Windows-1252", _western),
    ("latin-1", "Latin-1", _western),
)
_CODECS = {
    "UTF-8": "utf-8-sig",
    "UTF-16": "utf-16",
    **{name: codec for codec, name, _ in _PAGES},
}
