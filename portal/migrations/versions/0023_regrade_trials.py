"""Let a regrade be tried: runs that count for nothing until somebody lets them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change: every run that is there speaks."""
    speaks: sa.Column[bool] = sa.Column(
        "speaks", sa.Boolean(), nullable=False, server_default=sa.true()
    )
    op.add_column("grading_run", speaks)
    op.create_table(
        "regrade_trial",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "applied",
                "discarded",
                name="trialstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ended_by_id", sa.Integer(), nullable=True),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_regrade_trial_{column}_{there.split('.')[0]}")
            )
            for column, there in (
                ("term_id", "term.id"),
                ("author_id", "user_account.id"),
                ("ended_by_id", "user_account.id"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_regrade_trial")),
    )
    op.create_index(op.f("ix_regrade_trial_term_id"), "regrade_trial", ["term_id"])
    op.create_table(
        "trial_run",
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("trial_id", sa.String(36), nullable=False),
        sa.Column("before_id", sa.String(36), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [there], name=op.f(f"fk_trial_run_{column}_{there.split('.')[0]}")
            )
            for column, there in (
                ("run_id", "grading_run.id"),
                ("trial_id", "regrade_trial.id"),
                ("before_id", "grading_run.id"),
            )
        ),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_trial_run")),
    )
    op.create_index(op.f("ix_trial_run_trial_id"), "trial_run", ["trial_id"])


def downgrade() -> None:
    """Take the change back: what counts for nothing goes, for without the column it would count."""
    op.drop_table("trial_run")
    op.drop_table("regrade_trial")
    runs = sa.table("grading_run", sa.column("id"), sa.column("speaks", sa.Boolean()))
    silent = sa.select(runs.c.id).where(~runs.c.speaks)
    for name in ("test_result", "event", "result"):
        rows = sa.table(name, sa.column("run_id"))
        op.execute(sa.delete(rows).where(rows.c.run_id.in_(silent)))
    op.execute(sa.delete(runs).where(~runs.c.speaks))
    op.drop_column("grading_run", "speaks")
