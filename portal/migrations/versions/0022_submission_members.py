"""Write down who had a part in each submission: teams hand in together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: what was sent until now, its sender alone had a part in."""
    # In words of both databases: a batch would copy every submission to add an empty column.
    op.execute(
        "ALTER TABLE submission ADD COLUMN team_id INTEGER"
        " CONSTRAINT fk_submission_team_id_team REFERENCES team (id)"
    )
    name = "submission_member"
    op.create_table(
        name,
        sa.Column("submission_id", sa.String(36), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name=op.f(f"fk_{name}_submission_id_submission")
        ),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f(f"fk_{name}_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("submission_id", "enrolment_id", name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_enrolment_id"), name, ["enrolment_id"])
    op.execute("INSERT INTO submission_member SELECT id, enrolment_id FROM submission")


def downgrade() -> None:
    """Take the change back: each submission is its sender's alone."""
    op.drop_table("submission_member")
    with op.batch_alter_table("submission") as table:
        table.drop_column("team_id")  # and with it that it refers to a team
