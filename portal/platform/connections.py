"""Gunicorn's worker, with an end to waiting for requests that never come whole.

Each connection that has begun a request holds a thread until the request is there. Without an end
to that, as many half requests as there are threads would stop the portal for everybody.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections import Counter
from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

HEAD_SECONDS = 20.0  # from a connection's start to the end of its request's headers
BODY_SECONDS = 300.0  # and from there to the end of its body: 64 MB over 2 Mbit/s
LINGER_SECONDS = 2.0  # for the other side to take the end of an answer
MOST_HEADS = 64  # unfinished headers from one address; honest ones take milliseconds


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """Threads that wait for a request only so long, and for a few of one address at a time.

    Behind a proxy, which sends whole requests, every connection comes from the proxy's address.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heads: dict[Any, float] = {}  # connection -> when its headers must be there
        self._bodies: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Read a request and answer it."""
        if self._crowded(conn.client):
            return _end(conn, linger=0.0)
        self._heads[conn] = time.monotonic() + HEAD_SECONDS
        try:
            keep = super().handle(conn)
        finally:
            self._heads.pop(conn, None)
            self._bodies.pop(conn, None)
        return keep or _end(conn, linger=LINGER_SECONDS)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose headers have been read."""
        self._heads.pop(conn, None)
        self._bodies[conn] = time.monotonic() + BODY_SECONDS
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Close what waits too long; gunicorn calls this every second."""
        super().murder_pending()
        now = time.monotonic()
        for waiting in (self._heads, self._bodies):
            for conn, until in list(waiting.items()):
                if now > until:
                    waiting.pop(conn, None)
                    # Nothing more is read; an answer that is being sent, such as a live page's
                    # stream, goes on.
                    with contextlib.suppress(OSError):
                        conn.sock.shutdown(socket.SHUT_RD)

    def _crowded(self, client: Any) -> bool:
        if not isinstance(client, tuple):
            return False  # a local socket, so a proxy
        return Counter(conn.client[0] for conn in list(self._heads))[client[0]] >= MOST_HEADS


def _end(conn: Any, linger: float) -> bool:
    """Close a connection in its own thread and tell gunicorn that it is not kept.

    Gunicorn would wait for the other side to close too, up to two seconds and in the one loop that
    accepts connections: a hundred that stay open would stop the portal for minutes.
    """
    util.close_graceful(conn.sock, timeout=linger)
    conn.close = _closed
    return False


def _closed(graceful: bool = False) -> None:
    """Do nothing: the connection is closed."""
