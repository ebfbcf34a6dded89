"""Let a lab grade what is sent past the day's limit, and show its score alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: labs that are there go on refusing."""
    column: sa.Column[bool] = sa.Column(
        "score_past_limit", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("offering", column)


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("offering", "score_past_limit")
