"""Let two people mark a lab independently."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import ExactDecimal, UtcDateTime

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: labs that are there go on with one mark."""
    op.add_column("offering", sa.Column("two_marks_within", ExactDecimal(), nullable=True))
    op.create_table(
        "opinion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(80), nullable=False),
        sa.Column("submission_id", sa.String(36), nullable=False),
        sa.Column("points", ExactDecimal(), nullable=False),
        sa.Column("ticked", sa.JSON(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("mark_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("points >= 0", name=op.f("ck_opinion_points_not_negative")),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_opinion_{column}_{there.split('.')[0]}")
            )
            for column, there in (
                ("enrolment_id", "enrolment.id"),
                ("offering_id", "offering.id"),
                ("submission_id", "submission.id"),
                ("author_id", "user_account.id"),
                ("mark_id", "manual_mark.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opinion")),
    )
    op.create_index("ix_opinion_of", "opinion", ["offering_id", "enrolment_id"])


def downgrade() -> None:
    """Take the change back: what waited for a second mark is marked anew."""
    op.drop_table("opinion")
    op.drop_column("offering", "two_marks_within")
