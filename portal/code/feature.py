"""What this feature offers the portal."""

from __future__ import annotations

from portal.code.models import LineComment
from portal.platform.feature import Feature

FEATURE = Feature(name="code", models=(LineComment,))
