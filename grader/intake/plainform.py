"""Files as people's programs write them, in the plain form that suites and staff read.

The upload is kept as it was sent; only what is graded of it is changed, and a notice says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from grader.intake.encoding import decode_text

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


def plain_form(path: str, content: bytes) -> PlainForm:
    """Bring a file to its plain form: texts to UTF-8; what is no text stays as it is."""
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
