"""The job engine is tried on each kind of database."""

import pytest


@pytest.fixture
def database_url(each_database_url):
    """The address of a database with every table."""
    return each_database_url
