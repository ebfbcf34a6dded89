"""bubblewrap never starts as root, and starts wherever the checkout lies."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from grader.errors import SandboxError
from grader.sandbox import SandboxSpec, Tier
from grader.sandbox.bubblewrap import Bubblewrap, _filesystem


def test_an_ordinary_users_tier_is_refused_to_root(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SandboxError, match="must not start as root"):
        Bubblewrap(Tier.NAMESPACES, "/usr/bin/bwrap")
    assert Bubblewrap(Tier.FULL, "/usr/bin/bwrap").tier is Tier.FULL


@pytest.mark.parametrize("home", ["/opt/course", "/tmp/course"])
def test_a_checkout_below_tmp_is_no_obstacle(home):
    launch = SimpleNamespace(spec=SandboxSpec(), wire=Path(home), submission=Path(home))
    library = f"{home}/.venv"
    arguments = list(_filesystem(launch, [(library, library)], {library: library}))
    # A link cannot be made where a mount has made a folder, and a mount must come after its base.
    links = "--symlink" in arguments[arguments.index("--ro-bind") :]
    before = arguments[: arguments.index(library)]
    assert links == ("/tmp" not in before) == (home == "/opt/course")
