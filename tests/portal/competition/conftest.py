"""A competition that is open, one whose sources can be run again, and staff of its term."""

import pytest
from small_competition import HONEST
from support.competition import Arena
from support.reruns import Ring

from portal.platform.engine import DbosEngine


@pytest.fixture
def arena(site):
    return Arena(site)


@pytest.fixture
def tess(arena, site):
    site.make_member("tess", "ta")
    return site.log_in("tess")


@pytest.fixture
def ring(site, tmp_path):
    """One whose sources can be run again; a file about re-runs has it for its arena too."""
    return Ring(site, tmp_path)


@pytest.fixture
def over(ring):
    """A competition that is over: eve claims most, then ada and bo alike; cy sent no source."""
    ring.enter("eve", ring.leaked())
    ring.enter("ada", ring.honest())
    ring.enter("bo", ring.honest(), HONEST.replace("1.9", "1.89"))
    ring.enter("cy", ring.honest(), None)
    ring.install()
    ring.end()
    return ring


@pytest.fixture
def jobs(site):
    jobs = DbosEngine(site.config.database_url)
    yield jobs
    jobs.close()
