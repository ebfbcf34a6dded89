"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy
from portal.settings import beginning, views

FEATURE = Feature(
    name="settings",
    blueprints=(views.blueprint, beginning.blueprint),
    menu=(MenuEntry(Menu.INSTRUCTOR, lazy("Settings"), "settings.show", place=50),),
    permissions={
        **{
            f"settings.{name}": Audience.INSTRUCTOR
            for name in (
                "show",
                "edit",
                "change",
                "change_whole",
                "add",
                "remove",
                "export",
                "preview",
                "carry_out",
            )
        },
        **{f"terms.{name}": Audience.LEADER for name in ("begin", "preview", "make")},
    },
)
