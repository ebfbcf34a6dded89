"""What Alembic runs: applies or compares migrations on a connection it is handed."""

from __future__ import annotations

from alembic import context
from sqlalchemy.orm import Session

from portal.app import FEATURES
from portal.platform.feature import tables_of
from portal.runs.tests import fill_tests
from portal.standings.keeping import fill


def main() -> None:
    """Run the migrations on the connection in the configuration's attributes."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=tables_of(FEATURES),
        compare_type=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
        if context.get_revision_argument() == context.get_head_revision():
            with Session(connection) as session:
                fill(session)
                fill_tests(session)


main()
