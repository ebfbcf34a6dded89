"""Texts and tables as people's programs write them, in the plain form that suites and staff read.

The upload is kept as it was sent; only what is graded of it is changed, and a notice says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.encoding import decode_text
from grader.errors import TableError
from grader.lab.manifest import SubmittedFile
from grader.lab.table import describe_problems, read_table

_TEXTS = (".md", ".txt")
# The first bytes of documents that are no text, whatever they are called.
_DOCUMENTS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a Word document or another zip"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"),
    (b"{\\rtf", "an RTF document"),
)


@dataclass(frozen=True)
class PlainForm:
    """A file's content in its plain form, and sentences on what was done to it."""

    content: bytes
    notices: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()  # why the file cannot be graded


def plain_form(file: SubmittedFile, content: bytes) -> PlainForm:
    """Bring a file to its plain form: texts to UTF-8, tables to what the manifest asks for.

    What is neither, and what cannot be read as what it should be, stays as it is.
    """
    if file.columns and content:
        return _as_table(file, content)
    return _as_text(file.path, content)


def _as_table(file: SubmittedFile, content: bytes) -> PlainForm:
    try:
        table = read_table(content, file.columns)
    except TableError as error:
        at = "" if error.problems[0].line else ":"
        mend = "Mend it and upload again." if file.required else "Mend it, or leave the file out."
        return PlainForm(
            content, reasons=(f"{file.path}{at} {describe_problems(error.problems)} {mend}",)
        )
    if not table.oddities:
        return PlainForm(content)
    *most, last = table.oddities
    had = f"{', '.join(most)} and {last}" if most else last
    notice = f"{file.path} has {had}. It was read all the same: {len(table.rows):,} lines."
    return PlainForm(table.to_csv(), (notice,))


def _as_text(path: str, content: bytes) -> PlainForm:
    if not path.endswith(_TEXTS):
        return PlainForm(content)
    document = next((what for start, what in _DOCUMENTS if content.startswith(start)), None)
    if document:
        notice = f"{path} is {document} by another name and cannot be shown. Save it as plain text."
        return PlainForm(content, (notice,))
    return _in_utf8(path, content)


def _in_utf8(path: str, content: bytes) -> PlainForm:
    found = decode_text(content)
    if found is None:
        notice = f"{path} is not text in an encoding that is known here. Save it as UTF-8."
        return PlainForm(content, (notice,))
    if found.encoding == "UTF-8":
        return PlainForm(content)
    likely = "is not UTF-8; it looks like" if found.is_guess else "is"
    notice = (
        f"{path} {likely} {found.encoding} and was read as that. Save it as UTF-8, so that nobody "
        f"has to guess."
    )
    return PlainForm(found.text.encode("utf-8", "replace"), (notice,))
