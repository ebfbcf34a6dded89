"""What this feature offers the portal."""

from __future__ import annotations

from portal.labs import pages, uploads
from portal.platform.feature import Audience, Feature, Menu, MenuEntry
from portal.platform.language import lazy

FEATURE = Feature(
    name="labs",
    blueprints=(pages.blueprint, uploads.blueprint),
    menu=(MenuEntry(Menu.MAIN, lazy("My labs"), "labs.home", place=10),),
    permissions={
        "labs.home": Audience.ACCOUNT,
        "labs.lab": Audience.TERM,
        "labs.skeleton": Audience.TERM,
        "uploads.upload": Audience.TERM,
        "uploads.preview": Audience.TERM,
        "uploads.accept": Audience.STAFF,
    },
    limits={"uploads.upload": "30 per minute"},
    uploads=frozenset({"uploads.upload"}),
)
