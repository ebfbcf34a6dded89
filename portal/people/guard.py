"""What slows guessing down: few passwords are compared at a time, and failures are counted.

Failures at one account are counted for each address by itself, and for all addresses together with
so wide a limit that one address cannot reach it: who types a classmate's name on purpose shuts
nobody out but themselves.

The counts live in this process. A second web process would count for itself, so that each adds as
many guesses again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import abort
from flask_limiter.util import get_remote_address
from limits import RateLimitItem, parse

from portal.platform.feature import rate
from portal.platform.security import limiter

ADDRESS_LIMIT = "people.login.address"  # failed logins from one address
PAIR_LIMIT = "people.login.pair"  # failed logins to one account from one address
USERNAME_LIMIT = "people.login.username"  # failed logins to one account from anywhere
# Comparing one takes 64 MiB and a tenth of a second: more at a time would only take memory.
PLACES = 4
_places = threading.BoundedSemaphore(PLACES)


@dataclass
class Guess:
    """One try to log in. Unless it was `right`, it counts as a failure."""

    right: bool = False


@contextmanager
def one_guess(username: str) -> Iterator[Guess]:
    """Give a try one of the places; 429 if its address or its account has failed too often.

    A try counts before the password is compared, and is given back if it was right: tries at the
    same instant cannot pass the limit together.
    """
    address = get_remote_address()
    limits = (
        (parse(rate(ADDRESS_LIMIT)), "address", address),
        (parse(rate(PAIR_LIMIT)), "pair", f"{username} from {address}"),
        (parse(rate(USERNAME_LIMIT)), "username", username),
    )
    with _places:
        # What the first limits refuse is not held against the account.
        if not all(_count(*limit) for limit in limits):
            abort(429)
        guess = Guess()
        try:
            yield guess
        finally:
            if guess.right:
                for limit in limits:
                    _count(*limit, cost=-1)


def _count(limit: RateLimitItem, what: str, whose: str, cost: int = 1) -> bool:
    """Add to a count; tell whether it is within its limit."""
    return limiter.limiter.hit(limit, "login", what, whose, cost=cost)
