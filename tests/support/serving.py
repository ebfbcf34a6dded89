"""A portal in processes of its own, as it is served."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(
    arguments: Sequence[str], port: int, log: Path, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with arguments that serve a portal at the port; it answers within the block."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **environ}
    with log.open("wb") as target:
        server = subprocess.Popen(
            [sys.executable, *arguments], stdout=target, stderr=target, env=environment
        )
    try:
        _wait(port, server, log)
        yield server
    finally:
        server.terminate()
        server.wait(timeout=60)


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    while server.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:  # refused, or too busy to answer in time
            try:
                server.wait(timeout=0.2)
            except subprocess.TimeoutExpired:
                continue
    pytest.fail(f"the portal ended: {log.read_text(errors='replace')}")
