"""A competition that is open, and staff of its term."""

import pytest
from support.competition import Arena


@pytest.fixture
def arena(site):
    return Arena(site)


@pytest.fixture
def tess(arena, site):
    site.make_member("tess", "ta")
    return site.log_in("tess")
