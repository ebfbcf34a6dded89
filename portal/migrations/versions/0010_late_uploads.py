"""Keep uploads that came after a lab had closed, for staff to accept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "late_upload",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("upload_sha256", sa.String(64), nullable=False),
        sa.Column("filename", sa.String(255), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.String(64), nullable=False),
        sa.Column("intake", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_late_upload_enrolment_id_enrolment")
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_late_upload_offering_id_offering")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_upload")),
    )
    op.create_index("ix_late_upload_of", "late_upload", ["offering_id", "enrolment_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("late_upload")
