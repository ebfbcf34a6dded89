"""What is said about the files that were taken: faults that reject, notices that do not."""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator

from grader.intake.skeleton import released, same_text, untouched
from grader.intake.syntax import syntax_fault
from grader.lab.manifest import Assignment
from grader.text import megabytes, shown

_COOKIE = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_NO_CODE = re.compile(rb"[ \t\f]*(#.*)?$")
_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"  # Python takes some of them for names

_LINE_END = re.compile(r"\r\n|\r|\n")
# One picture made of several: the joiner between them is no trick.
_IN_EMOJI = re.compile(r"(?<=[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff])\u200d")

LARGEST_SOURCE = 1_000_000  # bytes; nobody writes a longer file by hand


def faults_in(path: str, content: bytes) -> Iterator[str]:
    """Say why a file cannot be graded."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        yield f"{path} is empty. Save your work in it and upload again."
    elif path.endswith(".py"):
        yield from python_faults(path, content)


def python_faults(path: str, content: bytes) -> list[str]:
    """Say why bytes cannot be a Python file, whatever they say."""
    found = []
    if len(content) > LARGEST_SOURCE:
        found.append(
            f"{path} has {megabytes(len(content))}; a Python file may have at most "
            f"{megabytes(LARGEST_SOURCE)}. Take data and weights out of it."
        )
    cookie = _cookie(content)
    if cookie and not _names_utf8(cookie):
        found.append(
            f"{path} says that it is written in '{shown(cookie)}'. Take out that line (with "
            f"'coding') and save the file with the encoding UTF-8."
        )
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found.append(
            f"{path} line {line} is not UTF-8 text. Save the file with the encoding UTF-8."
        )
    return found


def notices_on(path: str, content: bytes, assignment: Assignment) -> Iterator[str]:
    """Say what a student should know of a file that will be graded."""
    if untouched(assignment, path, content):
        yield f"{path} is still the skeleton: nothing in it was changed."
    if not path.endswith(".py"):
        return
    yield from _notice_on_hidden(path, content)
    fault = syntax_fault(content)
    if fault:
        where = f"{path} line {fault.line}" if fault.line else path
        yield f"{where}: {fault}; tests that need this file will fail. Fix it and upload again."


def _notice_on_hidden(path: str, content: bytes) -> Iterator[str]:
    """Name characters by which a file may do something else than it shows."""
    found: dict[str, int] = {}
    for number, line in enumerate(_LINE_END.split(content.decode("utf-8-sig")), 1):
        for char in filter(_is_hidden, _IN_EMOJI.sub("", line)):
            found.setdefault(char, number)
    if found:
        codes = ", ".join(f"U+{ord(char):04X}" for char in [*found][:5])
        yield (
            f"{path} line {min(found.values())} holds characters that cannot be seen ({codes}): "
            f"code can do something else with them than it shows. Take them out."
        )


def _is_hidden(char: str) -> bool:
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp")
    return (hidden and char not in "\t\f\0") or char in _BLANK_LETTERS


def _cookie(content: bytes) -> str:
    """Return the encoding that Python reads a file in because a comment says so, "" without one.

    It is looked for in the first two lines (PEP 263), in the second if the first holds no code.
    """
    for line in content.removeprefix(codecs.BOM_UTF8).splitlines()[:2]:
        named = _COOKIE.match(line)
        if named:
            return named[1].decode("ascii")
        if not _NO_CODE.match(line):
            break
    return ""


def _names_utf8(cookie: str) -> bool:
    try:
        return codecs.lookup(cookie).name == "utf-8"
    except LookupError:  # Python does not know it either
        return False


def notice_on_given(path: str, content: bytes, assignment: Assignment) -> Iterator[str]:
    """Say that the student's copy of a file of ours was changed and will not count."""
    ours = released(assignment, path)
    if ours is None or not same_text(ours, content):
        yield f"Your copy of {path} is replaced by the course's before grading."
