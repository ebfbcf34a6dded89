"""Index what pages read of a term of many submissions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_PENDING = sa.text("pending_score > 0")


def upgrade() -> None:
    """Apply the change."""
    op.drop_index("ix_submission_offering_received", "submission")
    op.create_index(
        "ix_submission_offering_received", "submission", ["offering_id", "received_at", "id"]
    )
    op.create_index(
        "ix_grading_run_speaking",
        "grading_run",
        ["submission_id", "speaks", "state", "created_at", "id", "suite_digest"],
    )
    op.drop_index("ix_grading_run_submission_id", "grading_run")
    op.create_index(
        "ix_result_pending",
        "result",
        ["pending_score", "run_id"],
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    )
    op.create_index("ix_audit_entry_action_subject", "audit_entry", ["action", "subject"])
    op.drop_index("ix_audit_entry_action", "audit_entry")


def downgrade() -> None:
    """Take the change back."""
    op.create_index("ix_audit_entry_action", "audit_entry", ["action"])
    op.drop_index("ix_audit_entry_action_subject", "audit_entry")
    op.drop_index("ix_result_pending", "result")
    op.create_index("ix_grading_run_submission_id", "grading_run", ["submission_id"])
    op.drop_index("ix_grading_run_speaking", "grading_run")
    op.drop_index("ix_submission_offering_received", "submission")
    op.create_index("ix_submission_offering_received", "submission", ["offering_id", "received_at"])
