"""What this feature offers the portal."""

from __future__ import annotations

from portal.competition import staffviews, views
from portal.competition.models import (
    CompetitionEntry,
    CompetitionRerun,
    CompetitionResult,
    EntryMember,
    FinalsChoice,
    ResultPlace,
    Ruling,
)
from portal.competition.words import WORDS
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="competition",
    blueprints=(views.blueprint, staffviews.blueprint),
    models=(
        CompetitionEntry,
        EntryMember,
        FinalsChoice,
        Ruling,
        CompetitionResult,
        ResultPlace,
        CompetitionRerun,
    ),
    menu=(MenuEntry(Menu.STAFF, lazy("Competition"), "competition_staff.show", place=32),),
    words=WORDS,
    permissions={
        **{
            f"competition.{name}": Audience.TERM
            for name in ("show", "enter", "choose", "rename", "invite", "answer", "leave")
        },
        "competition.download": Audience.OWNER,
        **{
            f"competition_staff.{name}": Audience.STAFF
            for name in (
                "show",
                "one_team",
                "move",
                "rename",
                "rule",
                "rerun",
                "cancel_reruns",
                "preview",
                "finalise",
                "source",
            )
        },
    },
    limits={"competition.enter": "30 per minute", "competition.invite": "30 per hour"},
    uploads=frozenset({"competition.enter"}),
)
