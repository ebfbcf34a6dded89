"""A served portal with a real worker, and a headless Chromium in front of it."""

import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal.cli import initialise
from portal.db import utc_now
from portal.demo import PEOPLE, build_people

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SERVE = """
import sys
from pathlib import Path
from portal.config import load_config
from portal.serving import serve
serve(load_config(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), threads=8,
      with_worker=True)
"""


@dataclass(frozen=True)
class Site:
    """A running portal and the passwords of its people."""

    address: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The demo course without uploads, served with a worker that grades for real."""
    instance = tmp_path_factory.mktemp("portal")
    logins = build_people(initialise(instance), now=utc_now())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", SERVE, str(instance), str(port)]
    with (instance / "log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(address, server, instance / "log")
            yield Site(address, {one.username: one.password for one in logins})
        finally:
            server.terminate()
            server.wait(timeout=60)
    assert len(logins) == len(PEOPLE)


@pytest.fixture(scope="module")
def chromium():
    """A headless browser of the system, gone before other files need an event loop of their own."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("needs Chromium: install the package chromium")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(site, chromium):
    """Return a page on which somebody has logged in; any script error fails the test."""
    contexts, errors = [], []

    def enter(username, **options):
        context = chromium.new_context(base_url=site.address, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        page.goto("/login")
        page.fill("[name=username]", username)
        page.fill("[name=password]", site.passwords[username])
        page.click("main button[type=submit]")
        page.wait_for_url(f"{site.address}/")
        return page

    yield enter
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="session")
def axe():
    """The accessibility checker's script."""
    return (Path(__file__).parent / "vendor" / "axe.min.js").read_text(encoding="utf-8")


def _wait(address: str, server: subprocess.Popen, log: Path) -> None:
    """Return once the portal answers; fail with its log if it ends instead."""
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            try:
                server.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(f"the portal ended: {log.read_text()}")
