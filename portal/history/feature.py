"""What this feature offers the portal."""

from __future__ import annotations

from portal.history.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="history",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.INSTRUCTOR, lazy("History"), "history.show", place=60),),
    permissions={"history.show": Audience.INSTRUCTOR},
)
