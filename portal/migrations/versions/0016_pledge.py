"""Let a term have a pledge that students agree to with each upload."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: terms that are there ask for none."""
    column: sa.Column[str] = sa.Column("pledge", sa.Text(), nullable=False, server_default="")
    op.add_column("term", column)


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("term", "pledge")
