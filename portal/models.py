"""Every table of the portal in one place, for whoever needs the whole metadata."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from portal.db import Base

for _feature in ("accounts", "audit", "courses", "submissions", "runs", "gradebook"):
    if find_spec(f"portal.{_feature}") and find_spec(f"portal.{_feature}.models"):
        import_module(f"portal.{_feature}.models")

metadata = Base.metadata
