"""Remember the language in which a person reads the portal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: nobody has chosen yet."""
    op.add_column("user_account", sa.Column("language", sa.String(8), nullable=True))


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("user_account", "language")
