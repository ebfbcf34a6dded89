"""Let a person leave a term, and an account be closed, without losing what belongs to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = ("enrolment", "user_account")


def upgrade() -> None:
    """Apply the change: everybody who is there stays."""
    for table in TABLES:
        column: sa.Column[bool] = sa.Column(
            "active", sa.Boolean(), nullable=False, server_default=sa.true()
        )
        op.add_column(table, column)


def downgrade() -> None:
    """Take the change back."""
    for table in TABLES:
        op.drop_column(table, "active")
