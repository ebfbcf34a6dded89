"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy
from portal.standings.following import follow
from portal.standings.models import (
    AttemptChoice,
    Criterion,
    ManualMark,
    MarkTick,
    Opinion,
    StudentStanding,
)
from portal.standings.scores import WORDS, ScoreState
from portal.standings.views import blueprint

follow()

FEATURE = Feature(
    name="standings",
    blueprints=(blueprint,),
    models=(ManualMark, Opinion, Criterion, MarkTick, AttemptChoice, StudentStanding),
    menu=(MenuEntry(Menu.STAFF, lazy("Gradebook"), "standings.show", place=20),),
    words={ScoreState: WORDS},
    permissions={
        "standings.show": Audience.STAFF,
        "standings.download": Audience.STAFF,
        "standings.student": Audience.STAFF,
        "standings.mark": Audience.STAFF,
        "standings.choose": Audience.STAFF,
    },
)
