"""What this feature offers the portal."""

from __future__ import annotations

from portal.marking.views import blueprint
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="marking",
    blueprints=(blueprint,),
    menu=(MenuEntry(Menu.STAFF, lazy("Submissions"), "marking.submissions", place=10),),
    permissions={
        "marking.submissions": Audience.STAFF,
        "marking.submission": Audience.STAFF,
        "marking.regrade_submission": Audience.STAFF,
        "marking.confirm_regrade": Audience.STAFF,
        "marking.regrade_all": Audience.STAFF,
    },
)
