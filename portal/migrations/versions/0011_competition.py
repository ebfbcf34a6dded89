"""Add teams and the competition; an offering says how large teams are and when they lock."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from portal.platform.db import ExactDecimal, UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TABLES = (
    "competition_place",
    "competition_result",
    "competition_ruling",
    "competition_finals",
    "competition_entry_member",
    "competition_entry",
    "team_invitation",
    "team_move",
    "team",
)


def upgrade() -> None:
    """Apply the change."""
    op.add_column("offering", sa.Column("team_size", sa.Integer(), nullable=True))
    op.add_column("offering", sa.Column("teams_lock_at", UtcDateTime(timezone=True), nullable=True))
    _teams()
    _entries()
    _decisions()


def downgrade() -> None:
    """Take the change back."""
    for name in _TABLES:
        op.drop_table(name)
    op.drop_column("offering", "teams_lock_at")
    op.drop_column("offering", "team_size")


def _number(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=nullable)


def _text(name: str, length: int, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def _at(name: str = "at", *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcDateTime(timezone=True), nullable=nullable)


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*(columns or ("id",)), name=op.f(f"pk_{table}"))


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def _teams() -> None:
    op.create_table(
        "team",
        _number("id"),
        _number("offering_id"),
        _text("name", 40),
        _at("created_at"),
        _number("merged_into_id", nullable=True),
        _refers("team", "offering_id", "offering"),
        _refers("team", "merged_into_id", "team"),
        _key("team"),
        sa.UniqueConstraint("offering_id", "name", name=op.f("uq_team_offering_id_name")),
    )
    op.create_table(
        "team_move",
        _number("id"),
        _number("team_id"),
        _number("enrolment_id"),
        _number("author_id"),
        sa.Column("reason", sa.Text(), nullable=False),
        _at(),
        _refers("team_move", "team_id", "team"),
        _refers("team_move", "enrolment_id", "enrolment"),
        _refers("team_move", "author_id", "user_account"),
        _key("team_move"),
    )
    op.create_index("ix_team_move_of", "team_move", ["enrolment_id", "team_id"])
    _index("team_move", "team_id")
    op.create_table(
        "team_invitation",
        _number("id"),
        _number("team_id"),
        _number("enrolment_id"),
        _number("author_id"),
        _at(),
        sa.Column(
            "answer",
            sa.Enum(
                "accepted",
                "declined",
                "withdrawn",
                name="invitationanswer",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        _at("answered_at", nullable=True),
        _refers("team_invitation", "team_id", "team"),
        _refers("team_invitation", "enrolment_id", "enrolment"),
        _refers("team_invitation", "author_id", "enrolment"),
        _key("team_invitation"),
    )
    _index("team_invitation", "team_id")
    _index("team_invitation", "enrolment_id")


def _entries() -> None:
    table = "competition_entry"
    op.create_table(
        table,
        _text("id", 36),
        _number("offering_id"),
        _number("number"),
        _number("team_id"),
        _number("enrolment_id"),
        _text("client_key", 64),
        _text("sha256", 64),
        _text("filename", 255),
        _number("size"),
        _text("source_sha256", 64, nullable=True),
        _number("source_size", nullable=True),
        sa.Column("public_score", sa.Float(), nullable=False),
        sa.Column("private_score", sa.Float(), nullable=False),
        _text("judge_digest", 64),
        _at("received_at"),
        sa.CheckConstraint("size >= 0", name=op.f(f"ck_{table}_size_not_negative")),
        _refers(table, "offering_id", "offering"),
        _refers(table, "team_id", "team"),
        _refers(table, "enrolment_id", "enrolment"),
        _key(table),
        sa.UniqueConstraint("offering_id", "number", name=op.f(f"uq_{table}_offering_id_number")),
        sa.UniqueConstraint(
            "enrolment_id",
            "offering_id",
            "client_key",
            "sha256",
            name=op.f(f"uq_{table}_enrolment_id_offering_id_client_key_sha256"),
        ),
    )
    _index(table, "team_id")
    members = "competition_entry_member"
    op.create_table(
        members,
        _text("entry_id", 36),
        _number("enrolment_id"),
        _refers(members, "entry_id", table),
        _refers(members, "enrolment_id", "enrolment"),
        _key(members, "entry_id", "enrolment_id"),
    )


def _decisions() -> None:
    finals, ruling = "competition_finals", "competition_ruling"
    op.create_table(
        finals,
        _number("id"),
        _number("team_id"),
        _text("first_id", 36, nullable=True),
        _text("second_id", 36, nullable=True),
        _number("author_id"),
        _at(),
        _refers(finals, "team_id", "team"),
        _refers(finals, "first_id", "competition_entry"),
        _refers(finals, "second_id", "competition_entry"),
        _refers(finals, "author_id", "enrolment"),
        _key(finals),
    )
    _index(finals, "team_id")
    op.create_table(
        ruling,
        _number("id"),
        _number("team_id"),
        _text("entry_id", 36, nullable=True),
        sa.Column("disqualified", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _number("author_id"),
        _at(),
        _refers(ruling, "team_id", "team"),
        _refers(ruling, "entry_id", "competition_entry"),
        _refers(ruling, "author_id", "user_account"),
        _key(ruling),
    )
    _index(ruling, "team_id")
    result, place = "competition_result", "competition_place"
    op.create_table(
        result,
        _number("id"),
        _number("offering_id"),
        sa.Column("reason", sa.Text(), nullable=False),
        _number("author_id"),
        _at(),
        _refers(result, "offering_id", "offering"),
        _refers(result, "author_id", "user_account"),
        _key(result),
    )
    _index(result, "offering_id")
    op.create_table(
        place,
        _number("id"),
        _number("result_id"),
        _number("team_id"),
        _text("entry_id", 36),
        _text("name", 40),
        sa.Column("score", sa.Float(), nullable=False),
        _number("place"),
        sa.Column("tied", sa.Boolean(), nullable=False),
        sa.Column("points", ExactDecimal(), nullable=False),
        sa.CheckConstraint("place >= 1", name=op.f(f"ck_{place}_place_positive")),
        _refers(place, "result_id", "competition_result"),
        _refers(place, "team_id", "team"),
        _refers(place, "entry_id", "competition_entry"),
        _key(place),
    )
    _index(place, "result_id")
