"""Let an offering say what being late costs, and when marks given by hand are shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change. Students go on seeing the marks that they saw before."""
    grace: sa.Column[int] = sa.Column(
        "grace_minutes", sa.Integer(), nullable=False, server_default="0"
    )
    percent: sa.Column[int] = sa.Column(
        "late_percent", sa.BigInteger(), nullable=False, server_default="0"
    )
    shown: sa.Column[bool] = sa.Column(
        "marks_published", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    for column in (grace, percent, shown):
        op.add_column("offering", column)
    # In SQL: only so does SQLite add a column that refers to a table without making its own anew.
    op.execute(
        "ALTER TABLE manual_mark ADD COLUMN submission_id VARCHAR(36)"
        " CONSTRAINT fk_manual_mark_submission_id_submission REFERENCES submission (id)"
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("manual_mark", "submission_id")
    for name in ("marks_published", "late_percent", "grace_minutes"):
        op.drop_column("offering", name)
