"""The portal's processes: gunicorn with one web process, and a grading worker beside it."""

from __future__ import annotations

import gc
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from portal.app import create_app
from portal.competition.rerunning import Reruns
from portal.platform.config import PortalConfig
from portal.platform.connections import WebWorker
from portal.platform.errors import PortalError
from portal.runs import web as runs_web
from portal.runs.live import MAX_STREAMS
from portal.runs.worker import WorkerSettings, run_worker

STOP_SECONDS = 30
RESTART_SECONDS = 2.0  # between two looks at whether the worker still runs

logger = logging.getLogger(__name__)


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn with settings from here instead of a command line."""

    def __init__(self, config: PortalConfig, settings: dict[str, Any]) -> None:
        self._config = config
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Hand gunicorn its settings."""
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Build the app, in the web process and not in gunicorn's master."""
        app = create_app(self._config)
        app.config[runs_web.STREAMS_SETTING] = MAX_STREAMS
        # What was made so far stays. The collector need not go through it again and again, which
        # makes some page wait for a tenth of a second each time.
        gc.collect()
        gc.freeze()
        return app


def serve(config: PortalConfig, *, host: str, port: int, threads: int, with_worker: bool) -> None:
    """Serve until told to stop. One process: SQLite's write lock and the live pages live in it.

    Raises PortalError if the address is taken or not this machine's.
    """
    _check_address(host, port)
    settings = {
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": WebWorker,
        # A live page holds a thread while it is open; these come on top and start when needed.
        "threads": threads + MAX_STREAMS,
        "timeout": 120,
        "graceful_timeout": 10,
        "accesslog": None,
        "control_socket_disable": True,  # it would lie outside the instance
        "worker_exit": _leave,
    }
    with _worker_beside(config) if with_worker else nullcontext():
        _Gunicorn(config, settings).run()


def work(config: PortalConfig, queues: Sequence[str] = ()) -> None:
    """Grade until told to stop, from these queues; by default from all this machine can serve."""
    settings = WorkerSettings(queues=tuple(queues)) if queues else None
    run_worker(config, settings, others=[Reruns])


def _leave(_arbiter: object, process: WebWorker) -> None:
    """Give back what the web process holds; nothing, if the app could not even be built."""
    if process.wsgi is not None:
        runs_web.close(process.wsgi)


def _check_address(host: str, port: int) -> None:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PortalError(
            f"Cannot serve at {host}:{port} ({reason}). Choose another port with --port."
        ) from error


@contextmanager
def _worker_beside(config: PortalConfig) -> Iterator[None]:
    """Keep a worker running, in a process of its own, for as long as the block lasts."""
    command = [sys.executable, "-m", "portal", "worker", "--instance", str(config.instance)]
    stopping = threading.Event()
    processes = [_start(command)]

    def supervise() -> None:
        while not stopping.wait(RESTART_SECONDS):
            if processes[0].poll() is not None:
                logger.error("the worker ended with %s; starting it anew", processes[0].returncode)
                processes[0] = _start(command)

    supervisor = threading.Thread(target=supervise, name="worker supervisor", daemon=True)
    supervisor.start()
    try:
        yield
    finally:
        stopping.set()
        supervisor.join()
        _stop(processes[0])


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command)  # noqa: S603 - our own interpreter and module


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
