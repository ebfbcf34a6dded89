"""Every table of the portal in one place, for whoever needs the whole metadata."""

from __future__ import annotations

import portal.audit.models
import portal.courses.models
import portal.people.models
import portal.runs.models
import portal.standings.models
import portal.submissions.models  # noqa: F401 - importing is what registers the tables
from portal.platform.db import Base

metadata = Base.metadata
