"""Hashing passwords with Argon2id."""

from __future__ import annotations

import secrets
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.platform.config import PasswordCost

# No 0/O, 1/l/I: an initial password is read from a list and typed.
_READABLE = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Passwords:
    """Makes and checks password hashes at one cost."""

    def __init__(self, cost: PasswordCost) -> None:
        self._hasher = PasswordHasher(
            time_cost=cost.time_cost,
            memory_cost=cost.memory_kib,
            parallelism=cost.parallelism,
        )

    def hash(self, password: str) -> str:
        """Return an encoded Argon2id hash with a fresh salt."""
        return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """Tell whether a password is the one hashed in `stored`.

        None stands for an account that does not exist: it takes as long and never matches.
        """
        try:
            self._hasher.verify(stored if stored is not None else self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return stored is not None

    def outdated(self, stored: str) -> bool:
        """Tell whether a hash was made at another cost and should be made anew."""
        return self._hasher.check_needs_rehash(stored)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))


def initial_password() -> str:
    """Return a random password of 70 bits that a person can read and type."""
    return "".join(secrets.choice(_READABLE) for _ in range(12))
