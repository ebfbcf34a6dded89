"""What this feature offers the portal."""

from __future__ import annotations

from portal.dashboard.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="dashboard",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.STAFF, lazy("Dashboard"), "dashboard.show", place=30),),
    permissions={"dashboard.show": Audience.STAFF, "dashboard.test": Audience.STAFF},
)
