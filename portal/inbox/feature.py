"""What this feature offers the portal."""

from __future__ import annotations

from portal.inbox.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry

FEATURE = Feature(
    name="inbox",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.STAFF, "Inbox", "inbox.show", place=5),),
    permissions={"inbox.show": Audience.STAFF},
)
