"""Writing to the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry


def record(
    session: Session,
    *,
    at: datetime,
    actor_id: int | None,
    action: str,
    subject: str,
    **detail: Any,
) -> None:
    """Add an entry to the audit log inside the caller's transaction.

    `detail` must be JSON and must hold no secret. `actor_id` is None for the system itself.
    """
    session.add(AuditEntry(at=at, actor_id=actor_id, action=action, subject=subject, detail=detail))
