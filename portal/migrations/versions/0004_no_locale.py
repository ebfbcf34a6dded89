"""Drop the language of an account, which nothing has ever read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.drop_column("locale")


def downgrade() -> None:
    """Take the change back."""
    locale = sa.Column("locale", sa.String(length=10), nullable=False, server_default="en")
    with op.batch_alter_table("user_account", schema=None) as batch_op:
        batch_op.add_column(locale)
