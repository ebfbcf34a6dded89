"""bubblewrap never starts as root."""

import os

import pytest

from grader.errors import SandboxError
from grader.sandbox import Tier
from grader.sandbox.bubblewrap import Bubblewrap


def test_an_ordinary_users_tier_is_refused_to_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SandboxError, match="must not start as root"):
        Bubblewrap(Tier.NAMESPACES, "/usr/bin/bwrap")
    assert Bubblewrap(Tier.FULL, "/usr/bin/bwrap").tier is Tier.FULL
