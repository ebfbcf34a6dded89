"""What a course's codes are called on pages."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from portal.courses.models import AttemptPolicy, OfferingKind, Role
from portal.courses.policy import OfferingState
from portal.courses.roster import RosterChange
from portal.platform.language import Phrase, lazy, lazy_about

WORDS: Mapping[type[StrEnum], Mapping[Any, Phrase]] = {
    Role: {
        Role.STUDENT: lazy("Student"),
        Role.TA: lazy("TA"),
        Role.INSTRUCTOR: lazy("Instructor"),
    },
    OfferingState: {
        OfferingState.NOT_YET: lazy("not yet open"),
        OfferingState.OPEN: lazy("open"),
        OfferingState.LATE: lazy_about("of a lab", "late"),
        OfferingState.CLOSED: lazy("closed"),
    },
    OfferingKind: {
        OfferingKind.LAB: lazy("lab"),
        OfferingKind.COMPETITION: lazy("competition"),
        OfferingKind.FEEDBACK: lazy("feedback"),
    },
    AttemptPolicy: {
        AttemptPolicy.LAST: lazy("last"),
        AttemptPolicy.BEST: lazy("best"),
        AttemptPolicy.CHOSEN: lazy("chosen by hand"),
    },
    RosterChange: {
        RosterChange.CREATE: lazy("new account"),
        RosterChange.ENROL: lazy("existing account joins"),
        RosterChange.UPDATE: lazy("role or number changes"),
        RosterChange.KEEP: lazy("no change"),
    },
}

# What a change of somebody's place is written down as; the roster says it, and the history.
PLACE: Mapping[str, Phrase] = {
    phrase.text: phrase
    for phrase in (
        lazy("role"),
        lazy("number"),
        lazy("takes part"),
        lazy("student"),
        lazy("ta"),
        lazy("instructor"),
        lazy("yes"),
        lazy("no"),
        lazy("none"),
    )
}


def said(code: str) -> str:
    """Return what stands for a code of `PLACE`, and anything else as it is."""
    return str(PLACE.get(code, code))
