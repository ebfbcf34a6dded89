"""Let a lab be marked without names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: labs that are there go on with names."""
    column: sa.Column[bool] = sa.Column(
        "anonymous", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("offering", column)
    op.create_table(
        "reveal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_reveal_{column}_{there.split('.')[0]}")
            )
            for column, there in (
                ("enrolment_id", "enrolment.id"),
                ("offering_id", "offering.id"),
                ("author_id", "user_account.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reveal")),
    )
    op.create_index("ix_reveal_of", "reveal", ["offering_id", "enrolment_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("reveal")
    op.drop_column("offering", "anonymous")
