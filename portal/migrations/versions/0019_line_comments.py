"""Let staff comment on lines of submitted files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "line_comment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(36), nullable=False),
        sa.Column("path", sa.String(400), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint("line >= 1", name=op.f("ck_line_comment_line_counts_from_one")),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_line_comment_submission_id_submission"),
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_line_comment_author_id_user_account"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_comment")),
    )
    op.create_index(op.f("ix_line_comment_submission_id"), "line_comment", ["submission_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("line_comment")
