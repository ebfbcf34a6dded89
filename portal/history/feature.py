"""What this feature offers the portal."""

from __future__ import annotations

from portal.history.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry

FEATURE = Feature(
    name="history",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.INSTRUCTOR, "History", "history.show", place=60),),
    permissions={"history.show": Audience.INSTRUCTOR},
)
