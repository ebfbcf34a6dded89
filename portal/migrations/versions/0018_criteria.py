"""Let marks by hand be made of criteria that are ticked, with comments that are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import ExactDecimal, UtcDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: marks that are there have no ticks and need no reason."""
    op.add_column("manual_mark", sa.Column("reason", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "criterion",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("points", ExactDecimal(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["offering_id"],
            ["offering.id"],
            name=op.f("fk_criterion_offering_id_offering"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criterion")),
    )
    op.create_index("ix_criterion_of", "criterion", ["offering_id", "item_id"])
    op.create_table(
        "mark_tick",
        sa.Column("mark_id", sa.Integer(), nullable=False),
        sa.Column("criterion_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("points", ExactDecimal(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mark_id"], ["manual_mark.id"], name=op.f("fk_mark_tick_mark_id_manual_mark")
        ),
        sa.ForeignKeyConstraint(
            ["criterion_id"], ["criterion.id"], name=op.f("fk_mark_tick_criterion_id_criterion")
        ),
        sa.PrimaryKeyConstraint("mark_id", "criterion_id", name=op.f("pk_mark_tick")),
    )
    op.create_table(
        "saved_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("item_id", sa.String(80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["offering_id"],
            ["offering.id"],
            name=op.f("fk_saved_comment_offering_id_offering"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_saved_comment_author_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_comment")),
    )
    op.create_index(op.f("ix_saved_comment_offering_id"), "saved_comment", ["offering_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("saved_comment")
    op.drop_table("mark_tick")
    op.drop_table("criterion")
    op.drop_column("manual_mark", "reason")
