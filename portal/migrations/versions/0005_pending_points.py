"""Note with a result the points of tests that nobody has been able to judge yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change; not by making the table anew, whose triggers guard its rows."""
    column: sa.Column[float] = sa.Column(
        "pending_score", sa.Double(), nullable=False, server_default="0"
    )
    op.add_column("result", column)


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("result", "pending_score")
