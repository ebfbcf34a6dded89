"""Keep what staff grant one student: more time, more attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "extension_grant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "attempts BETWEEN 0 AND 1000", name=op.f("ck_extension_grant_attempts_in_range")
        ),
        sa.ForeignKeyConstraint(
            ["author_id"],
            ["user_account.id"],
            name=op.f("fk_extension_grant_author_id_user_account"),
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"],
            ["enrolment.id"],
            name=op.f("fk_extension_grant_enrolment_id_enrolment"),
        ),
        sa.ForeignKeyConstraint(
            ["offering_id"], ["offering.id"], name=op.f("fk_extension_grant_offering_id_offering")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extension_grant")),
    )
    with op.batch_alter_table("extension_grant", schema=None) as batch_op:
        batch_op.create_index("ix_extension_grant_of", ["offering_id", "enrolment_id"])
        batch_op.create_index(op.f("ix_extension_grant_enrolment_id"), ["enrolment_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("extension_grant")
