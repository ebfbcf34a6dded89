"""What this feature offers the portal."""

from __future__ import annotations

from portal.audit.models import AuditEntry
from portal.platform.feature import Feature

FEATURE = Feature(name="audit", models=(AuditEntry,))
