"""Why somebody decided something, as it is typed: trimmed, there at all, and not too long."""

from __future__ import annotations

from portal.platform.errors import Invalid
from portal.platform.language import gettext


def bounded(text: str, most: int, field: str) -> str:
    """Return what was typed into a field, trimmed. Raises Invalid if it is too long."""
    text = text.strip()
    if len(text) > most:
        raise Invalid(
            gettext(
                "this has %(count)s characters; shorten it to %(most)s",
                count=len(text),
                most=most,
            ),
            field=field,
        )
    return text


def for_the_history(text: str, most: int) -> str:
    """Return the reason typed into the field `reason`. Raises Invalid without one."""
    if not text.strip():
        raise Invalid(gettext("say why; it stands in the history"), field="reason")
    return bounded(text, most, "reason")


def stated(text: str, most: int, *, missing: str) -> str:
    """Return a reason; Invalid with the words `missing` without one, or if it is too long."""
    reason = text.strip()
    if not reason:
        raise Invalid(missing)
    if len(reason) > most:
        raise Invalid(
            gettext(
                "the reason has %(count)s characters; shorten it to %(most)s",
                count=len(reason),
                most=most,
            )
        )
    return reason
