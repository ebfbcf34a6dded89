"""What this feature offers the portal."""

from __future__ import annotations

from portal.grants.models import Grant
from portal.grants.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="grants",
    blueprints=(blueprint,),
    models=(Grant,),
    menu=(MenuEntry(Menu.STAFF, lazy("Extensions"), "grants.show", place=35),),
    permissions={"grants.show": Audience.STAFF, "grants.grant": Audience.STAFF},
)
