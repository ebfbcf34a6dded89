"""Serving: a taken address is said in a sentence, and a dead worker is replaced."""

import gc
import queue
import socket
import subprocess
import sys
from types import SimpleNamespace

import pytest

from portal import serving
from portal.platform.errors import PortalError
from portal.runs import web as runs_web


def test_a_taken_port_is_said_with_its_mend():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortalError, match=rf"127\.0\.0\.1:{port} .*--port"):
            serving._check_address("127.0.0.1", port)


def test_a_free_port_is_accepted():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serving._check_address("127.0.0.1", port)


def test_a_process_that_never_got_its_app_leaves_in_silence():
    serving._leave(None, SimpleNamespace(wsgi=None))


def test_a_process_gives_back_what_its_app_holds(app):
    with app.app_context():
        feed = runs_web.live_feed()
    serving._leave(None, SimpleNamespace(wsgi=app))
    assert feed.open("any") is None, "the feed still takes readers"


def test_the_web_process_goes_through_its_app_once_in_search_of_garbage(config):
    app = serving._Gunicorn(config, {}).load()
    try:
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()
        runs_web.close(app)
        app.extensions["portal"].engine.dispose()


def test_a_worker_that_dies_is_started_anew(config, monkeypatch):
    started = queue.Queue()

    def start(command):
        assert command[2:4] == ["portal", "worker"]
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        started.put(process)
        return process

    monkeypatch.setattr(serving, "_start", start)
    monkeypatch.setattr(serving, "RESTART_SECONDS", 0.01)
    with serving._worker_beside(config):
        first = started.get(timeout=30)
        first.kill()
        first.wait()
        second = started.get(timeout=30)
        assert second.poll() is None
    assert second.poll() is not None
