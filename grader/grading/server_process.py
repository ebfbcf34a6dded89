"""One grading server as its caller sees it: a process that has collected a lab's suite."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.errors import GradingError
from grader.grading.collected import CollectedSuite
from grader.grading.events import GradingProgress
from grader.grading.job import GradingJob, Setup
from grader.sandbox.guest.messages import MessageSocket

_COMMAND = [sys.executable, "-I", "-B", "-m", "grader.grading.server"]
_PASSED_ON = ("PATH", "HOME", "LANG", "TMPDIR", "GRADER_DATA", "XDG_CACHE_HOME")
_MAX_FAULT = 8_000

OnProgress = Callable[[GradingProgress], None]


class ServerProcess:
    """One server process and the jobs it is busy with."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._counting = threading.Lock()
        self._talking = threading.Lock()  # on the control socket, one question at a time
        self._users = 0
        self._retired = False
        self._ready = False
        self._lost = False  # it said that it cannot start, or ended: it takes no job any more
        self._log = tempfile.TemporaryFile()
        ours, theirs = socket.socketpair()
        self._control = MessageSocket(ours)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*_COMMAND, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                start_new_session=True,
            )

    def alive(self) -> bool:
        """Whether the process still runs, and is not about to end."""
        return not self._lost and self._process.poll() is None

    def enter(self) -> None:
        """Count a job that will be given to this server."""
        with self._counting:
            self._users += 1

    def leave(self) -> None:
        """Count a job that has its answer; the last one of a retired server ends it."""
        with self._counting:
            self._users -= 1
        self._stop_if_unused()

    def retire(self) -> None:
        """Take no more jobs, and end once the last has its answer."""
        self._retired = True
        self._stop_if_unused()

    def _stop_if_unused(self) -> None:
        with self._counting:
            if self._retired and self._users == 0:
                self.stop()

    def run(self, job: GradingJob, on_progress: OnProgress) -> dict[str, Any]:
        """Have a job done and return the message it ends with; GradingError if it has none."""
        ours, theirs = socket.socketpair()
        answers = MessageSocket(ours)
        try:
            with theirs, self._talking:
                self._wait_ready()
                self._give(job, theirs.fileno())
            while (received := answers.receive()) is not None:
                message, _ = received
                if "fault" in message:
                    raise GradingError(str(message["fault"]))
                if "progress" not in message:
                    return message
                on_progress(GradingProgress(**message["progress"]))
            raise GradingError(f"the grading server ended: {self._last_words()}")
        finally:
            answers.close()

    def collected(self) -> CollectedSuite:
        """Return the tests it has collected, as soon as it has; GradingError if it cannot."""
        with self._talking:
            self._wait_ready()
            return self._suite

    def _wait_ready(self) -> None:
        if not self._ready:
            with suppress(OSError):
                self._control.send(self._setup.model_dump(mode="json"))
            heard = self._hear()
            self._suite = CollectedSuite.model_validate(heard["suite"])
            self._ready = True

    def _give(self, job: GradingJob, answers: int) -> None:
        try:
            self._control.send(job.model_dump(mode="json"), answers)
        except OSError as error:
            raise GradingError(f"the grading server is gone: {self._last_words()}") from error
        self._hear()

    def _hear(self) -> dict[str, Any]:
        received = self._control.receive()
        self._lost = received is None or "failed" in received[0]
        if received is None:
            raise GradingError(f"the grading server ended: {self._last_words()}")
        if "failed" in received[0]:
            raise GradingError(str(received[0]["failed"]))
        return received[0]

    def _last_words(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace").strip()[-_MAX_FAULT:]

    def stop(self) -> None:
        """End the process; everything it has started ends with it."""
        self._control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=30)
        self._process.kill()
        self._process.wait()
        self._log.close()


def _environment() -> dict[str, str]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    cache = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return environment | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "OMP_NUM_THREADS": "1",
        "MPLCONFIGDIR": str(cache / "proctor" / "matplotlib"),
    }
