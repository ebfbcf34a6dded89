"""Keep each test of a run as a row, so that figures of a class need no reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change; the rows are filled in once all migrations are applied."""
    op.create_table(
        "test_result",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("test", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("item", sa.String(80), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("max_score", sa.Double(), nullable=False),
        sa.Column("cause", sa.String(40), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["grading_run.id"], name=op.f("fk_test_result_run_id_grading_run")
        ),
        sa.PrimaryKeyConstraint("run_id", "number", name=op.f("pk_test_result")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("test_result")
