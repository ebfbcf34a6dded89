"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature
from portal.system.views import blueprint

FEATURE = Feature(
    name="system",
    blueprints=(blueprint,),
    permissions={"system.health": Audience.ANYBODY},
)
