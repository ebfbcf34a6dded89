"""The reference's settings of the open part."""

from __future__ import annotations

# BEGIN SOLUTION
BEST: dict[str, float | int | str] = {"hidden": 192, "total": 900}

# END SOLUTION
