"""Let a term give late days, which each student spends on labs handed in late."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: terms that are there give none."""
    for table, name in (
        ("term", "late_days"),
        ("term", "late_days_a_lab"),
        ("standing", "days_spent"),
    ):
        column: sa.Column[int] = sa.Column(name, sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, column)


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("standing", "days_spent")
    for name in ("late_days_a_lab", "late_days"):
        op.drop_column("term", name)
