"""A portal on a fresh SQLite file per test, with factories for people, terms and labs."""

import pytest

pytest.register_assert_rewrite("support")

from support.fixtures import *  # noqa: E402, F403
