"""What this feature offers the portal."""

from __future__ import annotations

from portal.inbox.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="inbox",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.STAFF, lazy("Inbox"), "inbox.show", place=5),),
    permissions={"inbox.show": Audience.STAFF},
)
