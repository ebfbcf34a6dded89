"""Let staff cancel re-runs of a competition that wait."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_TABLE = "competition_rerun"
_STATES = "ck_competition_rerun_rerunstate"


def upgrade() -> None:
    """Apply the change: every re-run stays as it is."""
    _allow("'queued', 'running', 'done', 'cancelled'")


def downgrade() -> None:
    """Take the change back: what was cancelled says nothing, and goes."""
    op.execute("DELETE FROM competition_rerun WHERE state = 'cancelled'")
    _allow("'queued', 'running', 'done'")


def _allow(states: str) -> None:
    """Let the table of re-runs hold these states."""
    with op.batch_alter_table(_TABLE) as table:
        table.drop_constraint(op.f(_STATES), type_="check")
        table.create_check_constraint(op.f(_STATES), f"state IN ({states})")
