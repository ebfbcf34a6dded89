"""The audit table. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, UtcDateTime
from portal.platform.insert_only import insert_only


class AuditEntry(Base):
    """One act: who did what to which thing, and when."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_action_subject", "action", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    # The account, None for the system. Everybody records here, so it knows nobody's models.
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    action: Mapped[str] = mapped_column(String(60))  # "login", "roster.import"
    subject: Mapped[str] = mapped_column(String(200))  # "term:2026-spring", "submission:<uuid>"
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


insert_only(AuditEntry)
