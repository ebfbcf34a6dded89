"""The database's schema through time: Alembic migrations and how to apply them."""
