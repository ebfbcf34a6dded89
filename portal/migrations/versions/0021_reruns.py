"""Let staff run entries of a competition again from source."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import UtcDateTime

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLE = "competition_rerun"
_STATES = "'queued', 'running', 'done'"
_VERDICTS = "'holds', 'below its claim', 'failed', 'refused', 'our fault'"
_REFERS = {
    "offering_id": "offering",
    "entry_id": "competition_entry",
    "author_id": "user_account",
}


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        _TABLE,
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("executor", sa.String(128), nullable=True),
        sa.Column("created_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("offering_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=True),
        sa.Column("fresh", sa.String(64), nullable=False),
        sa.Column("claim", sa.Float(), nullable=True),
        sa.Column("again", sa.Float(), nullable=True),
        sa.Column("sds", sa.Float(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("cpu_seconds", sa.Float(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(timezone=True), nullable=True),
        sa.Column("ended_at", UtcDateTime(timezone=True), nullable=True),
        *_checks(),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{there}.id"], name=op.f(f"fk_{_TABLE}_{column}_{there}")
            )
            for column, there in _REFERS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_TABLE}")),
        sa.UniqueConstraint("offering_id", "number", name=op.f(f"uq_{_TABLE}_offering_id_number")),
    )
    op.create_index(op.f(f"ix_{_TABLE}_entry_id"), _TABLE, ["entry_id"])


def downgrade() -> None:
    """Take the change back."""
    op.drop_table(_TABLE)


def _checks() -> list[sa.CheckConstraint]:
    rules = {
        "fence_not_negative": "fence >= 0",
        "done_has_a_verdict": "(state = 'done') = (verdict IS NOT NULL)",
        "rerunstate": f"state IN ({_STATES})",
        "verdict": f"verdict IN ({_VERDICTS})",
    }
    return [sa.CheckConstraint(rule, name=op.f(f"ck_{_TABLE}_{name}"))
            for name, rule in rules.items()]  # fmt: skip
