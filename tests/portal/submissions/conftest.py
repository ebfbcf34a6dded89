"""A student who sends uploads to a lab, and the report of one that was graded."""

import pytest
from support.reports import pictured_report
from support.uploads import Bench


@pytest.fixture
def bench(site):
    """Ada in front of the lab."""
    site.make_member("ada")
    return Bench(site, site.log_in("ada"))


@pytest.fixture
def report(site):
    """A graded run: one test passed, one closed one failed, one open one failed with a picture."""
    return pictured_report(site.store)
