"""What an upload offers before anything is taken from it: names, sizes and a way to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A file of the upload; its bytes are read only if the manifest wants them."""

    name: str  # relative, forward slashes
    size: int  # bytes, as announced
    read: Callable[[], bytes]  # raises Rejected; never returns more than `size` bytes

    @property
    def parts(self) -> tuple[str, ...]:
        """The name's folders and last name."""
        return tuple(part for part in self.name.split("/") if part not in ("", "."))
