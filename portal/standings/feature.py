"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.standings.models import ManualMark
from portal.standings.views import blueprint

FEATURE = Feature(
    name="standings",
    blueprints=(blueprint,),
    models=(ManualMark,),
    menu=(MenuEntry(Menu.STAFF, "Gradebook", "standings.show", place=20),),
    permissions={
        "standings.show": Audience.STAFF,
        "standings.download": Audience.STAFF,
        "standings.student": Audience.STAFF,
        "standings.mark": Audience.STAFF,
    },
)
