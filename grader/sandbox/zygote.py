"""The trusted end of a zygote: a process with the libraries imported that forks sandboxes."""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox import guest
from grader.sandbox.cell import Cell
from grader.sandbox.cgroup import Cgroup
from grader.sandbox.confinement import Confinement, Interpreter, Settings, environment
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.ownership import FOLDER_PREFIX, fresh_uid, own_name, remove_tree
from grader.sandbox.process_tree import ProcessTree
from grader.sandbox.spec import SandboxSpec

_START_SECONDS = 180.0  # of wall time: importing torch on a busy machine
_SPAWN_SECONDS = 60.0
_MAX_LAST_WORDS = 4_000
_BOOT = (
    "import sys; sys.path[:0] = [{code!r}]; sys.path += {site!r}\n"
    "from guest import forks\n"
    "forks.intercept()\n"
    "from guest.zygote import Zygote\n"
    "zygote = Zygote()\n"
    "from guest.runner import keeper\n"
    "from guest.warmup import warm_up\n"
    "sys.path.remove({code!r})\n"
    "zygote.main(warm_up, keeper)"
)


class ZygoteProcess:
    """Makes cells of one kind. It is empty of secrets, and dies with the process that holds it.

    `request` and `collect` are the two halves of `spawn`, for callers that have other work while
    a cell is being made; only one request may be open at a time.
    """

    def __init__(self, confinement: Confinement, spec: SandboxSpec) -> None:
        """Start the process; SandboxError if this machine cannot hold such a sandbox."""
        self.spec = spec
        self._confinement = confinement
        self._settings = dict(confinement.settings(spec))
        self._cells: list[Cell] = []
        self._open: _Order | None = None
        self._ready = False
        self._folder = Path(tempfile.mkdtemp(prefix=f"{FOLDER_PREFIX}{own_name()}-"))
        self._log = tempfile.TemporaryFile()
        ours, theirs = socket.socketpair()
        self._control = MessageSocket(ours)
        with theirs:
            self._process = self._start(theirs.fileno())

    def _start(self, control: int) -> subprocess.Popen[bytes]:
        interpreter = Interpreter.current()
        code = _stage_code(self._folder / "code")
        for folder in (self._folder, self._folder / "slots"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o711)  # other users may pass through, if they know the name within
        self._settings["reach"] = [*self._settings["reach"], str(self._folder)]
        settings = self._folder / "settings.json"
        settings.write_text(json.dumps(self._settings), encoding="utf-8")
        boot = _BOOT.format(code=str(code), site=list(interpreter.site))
        try:
            # Read without `site`, so that no .pth file runs or adds to the path.
            return subprocess.Popen(  # noqa: S603 - our own program
                [interpreter.executable, "-I", "-S", "-B", "-c", boot, str(control), str(settings)],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=(control,),
                env=environment("/"),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise SandboxError(f"the sandbox's zygote could not be started: {error}") from error

    def fileno(self) -> int:
        """Return the descriptor that is readable when a requested cell is ready."""
        return self._control.fileno()

    @property
    def busy(self) -> bool:
        """Whether a request is open."""
        return self._open is not None

    def request(self) -> None:
        """Ask for a cell."""
        order = _Order(self._confinement, self._settings, self.spec, self._folder / "slots")
        self._open = order
        self._send(order.message, order.fds)

    def collect(self) -> Cell:
        """Wait for the requested cell; SandboxError if it could not be made."""
        order, self._open = self._open, None
        if order is None:  # nothing is due: only its end can have made the socket readable
            raise SandboxError(f"the sandbox's zygote ended: {self._last_words()}")
        try:
            self._wait_ready()
            answer = self._receive(_SPAWN_SECONDS)
            if "pids" not in answer:
                raise SandboxError(f"the sandbox did not start: {answer.get('failed')}")
            cell = order.filled(answer["pids"])
        except SandboxError:
            order.cancel()
            raise
        self._cells.append(cell)
        return cell

    def spawn(self) -> Cell:
        """Make a cell and wait for it."""
        self.request()
        return self.collect()

    def discard(self, cell: Cell) -> None:
        """Remove a cell and all that runs in it."""
        if cell in self._cells:
            self._cells.remove(cell)
            cell.remove()

    def _wait_ready(self) -> None:
        if not self._ready:
            self._receive(_START_SECONDS)
            self._ready = True

    def _send(self, message: dict[str, Any], fds: list[int]) -> None:
        try:
            self._control.send(message, *fds)
        except OSError as error:
            raise SandboxError(f"the sandbox's zygote is gone: {self._last_words()}") from error

    def _receive(self, seconds: float) -> dict[str, Any]:
        self._control.connection.settimeout(seconds)
        try:
            received = self._control.receive()
        except OSError as error:
            raise SandboxError(f"the sandbox's zygote does not answer: {error}") from error
        if received is None:
            raise SandboxError(f"the sandbox's zygote ended: {self._last_words()}")
        return received[0]

    def _last_words(self) -> str:
        """Return the last words of the process, which holds nothing of a student's."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        self._log.seek(0)
        words = self._log.read().decode("utf-8", "replace").strip()
        return words[-_MAX_LAST_WORDS:] or "it said nothing"

    def release(self) -> None:
        """Close this process's ends and leave everything to others."""
        self._control.close()
        self._log.close()
        for cell in self._cells:
            cell.release()
        if self._open is not None:
            self._open.release()

    def close(self) -> None:
        """Remove every cell and end the process."""
        for cell in list(self._cells):
            self.discard(cell)
        self._control.close()
        if self._open is not None:
            self._open.cancel()
        self._process.kill()
        self._process.wait()
        self._log.close()
        remove_tree(self._folder)


class _Order:
    """What is made on this side for one cell, before the zygote has forked it."""

    def __init__(
        self, confinement: Confinement, settings: Settings, spec: SandboxSpec, slots: Path
    ) -> None:
        self._tier = confinement.tier
        self._memory_mb = spec.memory_mb
        self._control, self._theirs = socket.socketpair()
        reader, self._writer = os.pipe()
        self._output = io.FileIO(reader)
        self._folder = Path(tempfile.mkdtemp(dir=slots))
        self._inside, scratch = confinement.inside(self._folder)
        self._uid = fresh_uid() if settings["root"] else None
        self._group = _group(spec) if confinement.grouped else None
        self._make_folders()
        self.fds = [self._theirs.fileno(), self._writer]
        self.message = {
            "submission": str(self._folder / "submission"),
            "scratch": scratch,
            "uid": self._uid,
            "cgroups": [str(entry) for entry in self._group.entries] if self._group else [],
        }

    def _make_folders(self) -> None:
        self._folder.chmod(0o711)
        (self._folder / "submission").mkdir()
        (self._folder / "submission").chmod(0o755)
        (self._folder / "scratch").mkdir(mode=0o700)
        if self._uid is not None:
            os.chown(self._folder / "scratch", self._uid, self._uid)

    def filled(self, pids: list[int]) -> Cell:
        """Return the cell, now that its process runs."""
        self._close_theirs()
        return Cell(
            tier=self._tier,
            control=self._control,
            output=self._output,
            folder=self._folder,
            inside=self._inside,
            memory_mb=self._memory_mb,
            tree=ProcessTree(pids, self._uid),
            group=self._group,
        )

    def _close_theirs(self) -> None:
        self._theirs.close()
        os.close(self._writer)

    def release(self) -> None:
        """Close every end of this process's."""
        self._close_theirs()
        self._control.close()
        self._output.close()

    def cancel(self) -> None:
        """Take back what was made."""
        self.release()
        remove_tree(self._folder)
        if self._group:
            self._group.remove()


def _group(spec: SandboxSpec) -> Cgroup:
    return Cgroup.create(own_name(), memory_mb=spec.memory_mb, processes=spec.processes)


def _stage_code(folder: Path) -> Path:
    """Copy what travels into the sandbox where the zygote imports it without `grader`."""
    source = Path(guest.__file__).parent
    shutil.copytree(source, folder / "guest", ignore=lambda *_: ["__pycache__"])
    return folder
