"""Which variant of a lab a student works on.

An offering names no variant (the assignment's default counts), one for everybody, or several, of
which each student is drawn one from this installation's key, the offering and the student: the
same at every grading, and not to be known beforehand.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from portal.courses.models import Offering


@dataclass(frozen=True)
class Lot:
    """What decides a student's variant, but for the key."""

    offering_id: int
    user_id: int
    names: tuple[str, ...]  # none: the assignment's default

    @classmethod
    def of(cls, offering: Offering, user_id: int) -> Lot:
        """Read an offering's variants for one person."""
        return cls(offering.id, user_id, offering.variants)

    def draw(self, key: bytes) -> str | None:
        """Return the variant's name; None for the assignment's default."""
        if len(self.names) < 2:
            return self.names[0] if self.names else None
        text = f"variant\n{self.offering_id}\n{self.user_id}".encode()
        number = int.from_bytes(hmac.digest(key, text, hashlib.sha256)[:8], "big")
        return self.names[number % len(self.names)]
