"""The columns that each table of delivered work has."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import UtcDateTime


class Delivered:
    """Columns of work whose ids the engine delivers: where it waits, and who has it."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    queue: Mapped[str] = mapped_column(String(32))
    priority: Mapped[int]  # lower is sooner
    state: Mapped[StrEnum]  # each table has states of its own
    fence: Mapped[int] = mapped_column(default=0)  # claims so far; only the last one may write
    executor: Mapped[str | None] = mapped_column(String(128))  # who holds it while it runs
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
