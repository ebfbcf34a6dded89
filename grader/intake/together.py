"""Files that were sent together, kept as one: a plain zip that says of itself what it is.

A browser sends several files at once, a store keeps one. Zips among them were handed in like the
others and are opened; a zip within a student's own zip is not.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first instant a zip can name
_COMMENT = b"files that were sent together"


def pack_together(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Pack files, as (name, bytes) with names that differ, into one.

    It depends on the files alone, so that a retry of the same upload has the same digest.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.comment = _COMMENT
        for name, data in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), data)
    return packed.getvalue()


def are_together(data: bytes) -> bool:
    """Tell whether bytes are such a pack; anybody may say so, and gains nothing by it."""
    return data.startswith(b"PK") and data.endswith(_COMMENT)
