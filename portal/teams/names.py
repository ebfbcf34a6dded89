"""What a team is called to others: a name it picks, or one drawn for it."""

from __future__ import annotations

import secrets
from collections.abc import Collection

from grader.api import clean_line, invisible
from portal.platform.errors import Invalid
from portal.platform.language import gettext

SHORTEST, LONGEST = 2, 40
_HOW = (
    "Amber", "Brave", "Calm", "Clever", "Crimson", "Distant", "Eager", "Gentle", "Golden", "Hidden",
    "Ivory", "Jolly", "Keen", "Lively", "Lucky", "Mellow", "Nimble", "Patient", "Quiet", "Rapid",
    "Silver", "Steady", "Sunny", "Swift", "Tidy", "Violet", "Wandering", "Wise", "Witty", "Young",
)  # fmt: skip
_WHAT = (
    "Badger", "Beaver", "Crane", "Dolphin", "Falcon", "Finch", "Fox", "Gecko", "Hare", "Heron",
    "Ibex", "Jackdaw", "Kestrel", "Lark", "Lynx", "Magpie", "Marten", "Newt", "Osprey", "Otter",
    "Panda", "Plover", "Raven", "Robin", "Salmon", "Seal", "Sparrow", "Stork", "Swallow", "Tiger",
)  # fmt: skip


def drawn_name(taken: Collection[str]) -> str:
    """Return a name that is free, drawn by chance: it must not tell who is behind it."""
    used = {name.casefold() for name in taken}
    names = (f"{how} {what}" for how in _HOW for what in _WHAT)
    free = [name for name in names if name.casefold() not in used]
    return secrets.choice(free) if free else f"Team {secrets.token_hex(4)}"


def read_name(text: str, taken: Collection[str]) -> str:
    """Read a name that a team picked. Raises Invalid if it cannot be shown, or is another's."""
    name = clean_line(text, 200)
    if any(map(invisible, text)) or not SHORTEST <= len(name) <= LONGEST:
        raise Invalid(
            gettext(
                "a name has %(shortest)s to %(longest)s characters that can be seen",
                shortest=SHORTEST,
                longest=LONGEST,
            )
        )
    if name.casefold() in {one.casefold() for one in taken}:
        raise Invalid(gettext("another team has the name %(name)s; choose another", name=name))
    return name
