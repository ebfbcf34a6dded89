"""Let an attempt be chosen by hand where a lab says so."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_POLICIES = "ck_offering_attemptpolicy"


def upgrade() -> None:
    """Apply the change: every lab keeps its rule."""
    _allow("'last', 'best', 'chosen'")
    op.create_table(
        "attempt_choice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("submission_id", sa.String(36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_attempt_choice_{column}_{there.split('.')[0]}")
            )
            for column, there in (
                ("enrolment_id", "enrolment.id"),
                ("offering_id", "offering.id"),
                ("submission_id", "submission.id"),
                ("author_id", "user_account.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt_choice")),
    )
    op.create_index("ix_attempt_choice_of", "attempt_choice", ["enrolment_id", "offering_id"])


def downgrade() -> None:
    """Take the change back: where attempts were chosen, the best counts."""
    op.drop_table("attempt_choice")
    op.execute("UPDATE offering SET policy = 'best' WHERE policy = 'chosen'")
    _allow("'last', 'best'")


def _allow(policies: str) -> None:
    """Let the table of offerings hold these policies."""
    with op.batch_alter_table("offering") as table:
        table.drop_constraint(op.f(_POLICIES), type_="check")
        table.create_check_constraint(op.f(_POLICIES), f"policy IN ({policies})")
