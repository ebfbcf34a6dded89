"""A portal on a fresh SQLite file per test, with factories for people, terms and labs."""

from support.fixtures import *  # noqa: F403
