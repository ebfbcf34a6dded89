"""Let an offering name several variants, of which each student is drawn one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table("offering", schema=None) as batch_op:
        batch_op.alter_column(
            "variant", existing_type=sa.String(length=40), type_=sa.String(length=400)
        )


def downgrade() -> None:
    """Take the change back."""
    with op.batch_alter_table("offering", schema=None) as batch_op:
        batch_op.alter_column(
            "variant", existing_type=sa.String(length=400), type_=sa.String(length=40)
        )
