"""What the form of one offering sends, read as its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from portal.settings.values import OfferingSettings, TermSettings, read_offering, read_term

_SWITCHES = ("score_past_limit", "anonymous", "published", "marks_published")
_OPTIONAL = (
    "assignment",
    "closes",
    "attempts_per_day",
    "attempts_total",
    "team_size",
    "teams_lock",
    "two_marks_within",
)
_ZERO = ("grace_minutes", "late_percent")


def read_form(form: Mapping[str, str]) -> OfferingSettings:
    """Read a form. Empty fields ask for nothing; a switch that is off sends nothing.

    Raises Invalid with every problem.
    """
    values: dict[str, Any] = {
        name: form.get(name, "").strip() for name in OfferingSettings.model_fields
    }
    del values["criterion"]  # the rubric has a page of its own
    for name in _SWITCHES:
        values[name] = bool(values[name])
    for name in _OPTIONAL:
        values[name] = values[name] or None
    for name in _ZERO:
        values[name] = values[name] or "0"
    for name in ("late_percent", "points", "two_marks_within"):
        values[name] = values[name] and values[name].replace(",", ".")
    values["variants"] = tuple(dict.fromkeys(re.findall(r"[^\s,]+", values["variants"])))
    return read_offering(values)


def read_term_form(term: TermSettings, form: Mapping[str, str]) -> TermSettings:
    """Return a term's settings with what its form sends. Raises Invalid with every problem."""
    sent = {name: form.get(name, "").strip() or "0" for name in ("late_days", "late_days_a_lab")}
    sent["pledge"] = "\n".join(form.get("pledge", "").splitlines())
    return read_term({**dict(term), **sent})


def fields_of(settings: OfferingSettings) -> dict[str, str]:
    """Return the fields that show settings: what `read_form` reads back as the same."""
    times = ("opens", "due", "closes", "teams_lock")
    fields = {}
    for name, value in settings:
        if name == "criterion":
            continue
        if name in _SWITCHES:
            fields[name] = "on" if value else ""
        elif name in times:
            fields[name] = f"{value:%Y-%m-%dT%H:%M}" if value else ""
        elif name == "variants":
            fields[name] = ", ".join(value)
        else:
            fields[name] = "" if value is None else str(value)
    return fields
