"""Keep where each student stands, so that a page reads one row for each score."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import ExactDecimal

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change; the rows are filled in once all migrations are applied."""
    op.create_table(
        "standing",
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("newest_id", sa.String(36), nullable=True),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("stuck", sa.Boolean(), nullable=False),
        sa.Column("solved_at", sa.Integer(), nullable=True),
        sa.Column("submission_id", sa.String(36), nullable=True),
        sa.Column("run_id", sa.String(36), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=True),
        sa.Column("by_tests", ExactDecimal(), nullable=False),
        sa.Column("max_by_tests", ExactDecimal(), nullable=False),
        sa.Column("pending", ExactDecimal(), nullable=False),
        sa.Column("items", sa.JSON(), nullable=False),
        sa.Column("days_late", sa.Integer(), nullable=False),
        sa.Column("late_factor", ExactDecimal(), nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_standing_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_standing_offering_id_offering")
        ),
        sa.PrimaryKeyConstraint("enrolment_id", "offering_id", name=op.f("pk_standing")),
    )
    op.create_index("ix_standing_offering_id", "standing", ["offering_id"])
    op.create_index("ix_standing_run_id", "standing", ["run_id"])
    # Scores stand behind reports of some 100 kB in a row; in this index they stand alone.
    op.create_index("ix_result_scores", "result", ["run_id", "score", "max_score", "pending_score"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_index("ix_result_scores", "result")
    op.drop_table("standing")
