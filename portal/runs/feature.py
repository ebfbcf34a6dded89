"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Audience, Feature
from portal.runs.chips import EVENTS
from portal.runs.models import Event, EventKind, GradingRun, Heartbeat, Result, RunTest
from portal.runs.views import blueprint

FEATURE = Feature(
    name="runs",
    blueprints=(blueprint,),
    models=(GradingRun, Result, RunTest, Event, Heartbeat),
    words={EventKind: EVENTS},
    permissions={"runs.events": Audience.OWNER, "runs.progress": Audience.OWNER},
)
