"""What this feature offers the portal."""

from __future__ import annotations

from portal.platform.feature import Feature
from portal.teams.models import Team, TeamInvitation, TeamMove

FEATURE = Feature(name="teams", models=(Team, TeamMove, TeamInvitation))
