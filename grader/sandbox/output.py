"""What student code prints: drained so that it never blocks, kept only up to a cap."""

from __future__ import annotations

import array
import fcntl
import io
import termios
import threading
import time

KEPT_BYTES = 20_000
_DRAIN_SECONDS = 0.2


class Output:
    """Reads a pipe in the background; keeps the first bytes since the last `restart`."""

    def __init__(self, reader: io.FileIO) -> None:
        self._reader = reader
        self._kept = bytearray()
        self._total = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._drain, daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        while True:
            try:
                data = self._reader.read(2**16)
            except (OSError, ValueError):
                return
            if not data:
                return
            with self._lock:
                self._total += len(data)
                self._kept += data[: max(0, KEPT_BYTES - len(self._kept))]

    def restart(self) -> None:
        """Forget what was printed so far."""
        self._settle()
        with self._lock:
            self._kept.clear()
            self._total = 0

    def text(self) -> str:
        """Return what was printed since `restart`, with a note if more was thrown away."""
        self._settle()
        with self._lock:
            text = self._kept.decode("utf-8", "replace")
            dropped = self._total - len(self._kept)
        return f"{text}\n[{dropped:,} more bytes of output not kept]" if dropped else text

    def _settle(self) -> None:
        """Wait until what is already in the pipe has been read."""
        waiting = array.array("i", [0])
        deadline = time.monotonic() + _DRAIN_SECONDS
        while time.monotonic() < deadline:
            fcntl.ioctl(self._reader.fileno(), termios.FIONREAD, waiting)
            if waiting[0] == 0:
                return
            time.sleep(0.001)

    def close(self) -> None:
        """Stop reading; call it when the writers are gone."""
        self._thread.join(timeout=1)
        self._reader.close()
