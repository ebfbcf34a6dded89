"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature
from portal.results.views import blueprint

FEATURE = Feature(
    name="results",
    blueprints=(blueprint,),
    permissions={
        "results.show": Audience.OWNER,
        "results.code": Audience.OWNER,
        "results.explanation": Audience.OWNER,
        "results.upload": Audience.OWNER,
        "results.receipt": Audience.OWNER,
        "results.artifact": Audience.OWNER,
    },
)
