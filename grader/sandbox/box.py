"""One sandbox for one submission: started, loaded once, forked for every test, thrown away."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox import cgroup
from grader.sandbox.confinement import Confined, Confinement, Launch
from grader.sandbox.control import Control
from grader.sandbox.output import Output
from grader.sandbox.ownership import own_name, owner_alive
from grader.sandbox.spec import SandboxSpec, Tier
from grader.wire import codec, runner
from grader.wire.budget import Budget
from grader.wire.channel import Channel
from grader.wire.failures import StudentCrashed, StudentError, StudentMemory, StudentNotImported

_START_SECONDS = 120.0
_ANSWER_SECONDS = 60.0  # of wall time, so that a busy machine never looks like a broken one
_FOLDER_PREFIX = "proctor-"


@dataclass(frozen=True)
class Session:
    """One test's fork: the channel to it and the budget it runs under."""

    channel: Channel
    budget: Budget


class Sandbox:
    """A keeper that is never lost to student code, a template that imported it, a fork a test.

    A sandbox serves one submission. After every test, whatever the test left running is killed;
    if student code has taken the template down, the next test starts from a fresh import.
    """

    def __init__(self, confinement: Confinement, spec: SandboxSpec) -> None:
        self.tier = confinement.tier
        self.spec = spec
        self.output = Output()
        self._confinement = confinement
        self._folder = Path(tempfile.mkdtemp(prefix=f"{_FOLDER_PREFIX}{own_name()}-"))
        self._spent = 0.0
        self._template: Control | None = None
        self._template_pid = 0
        self._open: list[int] = []  # pids of the tests whose sessions are open
        self._modules: tuple[str, ...] = ()
        self._imported = False
        self._import_cpu_seconds = 10.0
        self.import_failure: StudentError | None = None
        self.failures: dict[str, StudentNotImported] = {}
        self._start()

    def _start(self) -> None:
        """Start the keeper; it warms up while we go on."""
        wire, submission, scratch = self._prepare_folder()
        ours, theirs = socket.socketpair()
        launch = Launch(self.spec, wire, submission, scratch, theirs, self.output.writer)
        try:
            self._confined: Confined = self._confinement.start(launch)
        finally:
            theirs.close()
        self._keeper = Control(ours)
        self._ready = False
        self._inside = self._confinement.inside(launch)

    def _prepare_folder(self) -> tuple[Path, Path, Path]:
        wire, submission, scratch = (self._folder / n for n in ("wire", "submission", "scratch"))
        package = wire / "wire"
        package.mkdir(parents=True, exist_ok=True)
        submission.mkdir(exist_ok=True)
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        (package / "__init__.py").write_text("")
        for module in (codec, runner):
            shutil.copy(str(module.__file__), package)
        _make_readable(wire)
        return wire, submission, scratch

    def wait_ready(self) -> None:
        """Wait until the keeper has warmed up; SandboxError if it never does."""
        if self._ready:
            return
        try:
            self._keeper.receive("ready", _START_SECONDS)
        except StudentCrashed as error:
            said = self.output.text().strip()[-2000:]
            raise SandboxError(f"the sandbox did not start ({error}): {said}") from error
        self._ready = True

    def load(
        self,
        write: Callable[[Path], None],
        modules: tuple[str, ...],
        cpu_seconds: float,
    ) -> None:
        """Put a submission's files in place (by `write`) and import its modules once.

        A module that cannot be imported is noted in `failures`; if the import never ended, every
        session raises that. Raises SandboxError if the sandbox itself did not start.
        """
        self.wait_ready()
        self.output.restart()
        write(self._folder / "submission")
        _make_readable(self._folder / "submission")
        self._modules = modules
        self._import_cpu_seconds = cpu_seconds
        try:
            self._import()
        except StudentCrashed as error:
            self.import_failure = self._crashed(str(error), 0)
        except StudentError as error:
            self.import_failure = error
        if self.import_failure is not None:
            self._drop_template()

    def _import(self) -> None:
        """Fork a template off the keeper and let it import the submission."""
        ours, theirs = socket.socketpair()
        message = {"op": "load", "root": self._inside, "modules": list(self._modules)}
        with theirs:
            self._template_pid = self._ask_keeper(message, theirs.fileno())
        self._template = Control(ours)
        budget = Budget(self._import_cpu_seconds, self.cpu_seconds)
        failures = self._template.receive("loaded", 10 * _START_SECONDS, budget.check)
        if not self._imported:
            # Only the first import is believed: a later one happens after hidden inputs have been
            # inside, and its error messages, which students are shown, could carry them out.
            self.failures = _not_imported(failures)
            self._imported = True

    def _ask_keeper(self, message: dict[str, Any], fd: int | None = None) -> int:
        """Ask the keeper, which holds no student code: if it fails, the sandbox is lost."""
        try:
            self._keeper.send(message, fd)
            answer = self._keeper.receive("done", _ANSWER_SECONDS)
        except StudentCrashed as error:
            raise SandboxError(f"the sandbox was lost: {error}") from error
        return answer if type(answer) is int else 0

    @contextmanager
    def session(self, seed: int, cpu_seconds: float) -> Iterator[Session]:
        """Fork one test off the template; on leaving, nothing of the test still runs."""
        if self.import_failure is not None:
            raise self.import_failure
        ours, theirs = socket.socketpair()
        self.output.restart()
        kills = self._confined.oom_kills()
        budget = Budget(cpu_seconds, self.cpu_seconds)
        pid = 0
        try:
            with theirs:
                pid = self._fork(seed, theirs.fileno())
            self._open.append(pid)
            yield Session(
                Channel(ours, budget.check, lambda said: self._crashed(said, kills)), budget
            )
        finally:
            ours.close()
            self._open = [other for other in self._open if other != pid]
            self._clean_up()

    def _fork(self, seed: int, fd: int) -> int:
        """Fork the template and return the test's pid: its claim, believed only in a sweep."""
        for attempt in (1, 2):
            if self._template is None:
                self._import()
            template = self._template
            try:
                if template is not None:
                    template.send({"op": "fork", "seed": seed}, fd)
                    answer = template.receive("done", _ANSWER_SECONDS)
                    return answer if type(answer) is int else 0
            except StudentCrashed:
                # A test before this one may have killed the template: import once more.
                self._drop_template()
                if attempt == 2:
                    raise
        raise StudentCrashed("the submission could not be forked")

    def _clean_up(self) -> None:
        if self.tier is Tier.PROCESS:
            return  # there is no namespace to sweep; children end with their socket
        try:
            self._ask_keeper({"op": "sweep", "keep": [self._template_pid, *self._open]})
        except SandboxError:
            self._restart()

    def _drop_template(self) -> None:
        if self._template is not None:
            self._template.close()
            self._template = None
        self._template_pid = 0
        self._clean_up()

    def _restart(self) -> None:
        """Replace a sandbox that student code has brought down by one that is whole."""
        self._spent = self.cpu_seconds()
        if self._template is not None:
            self._template.close()
            self._template = None
        self._keeper.close()
        self._confined.kill()
        self._start()
        self.wait_ready()

    def _crashed(self, said: str, kills: int) -> StudentError:
        """Tell a process killed for its memory from one that crashed."""
        if self._confined.oom_kills() > kills:
            return StudentMemory(f"killed by the kernel: more than {self.spec.memory_mb} MB")
        return StudentCrashed(said)

    def cpu_seconds(self) -> float:
        """Return the CPU time used inside since the start."""
        return self._spent + self._confined.cpu_seconds()

    def close(self) -> None:
        """Kill everything inside and remove every trace on the host."""
        if self._template is not None:
            self._template.close()
        self._keeper.close()
        with suppress(SandboxError):
            self._spent += self._confined.cpu_seconds()
        self._confined.kill()
        self.output.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def _not_imported(claims: object) -> dict[str, StudentNotImported]:
    """Read the template's claims about failed imports, which are untrusted text."""
    found: dict[str, StudentNotImported] = {}
    for name, claim in claims.items() if type(claims) is dict else ():
        text = claim.get("traceback") if type(claim) is dict else ""
        readable = str(text)[:4000].encode("utf-8", "replace").decode()
        found[str(name).encode("utf-8", "replace").decode()] = StudentNotImported(readable)
    return found


def _make_readable(folder: Path) -> None:
    """Let the sandbox's user read a folder, whatever our umask says."""
    for path in (folder, *folder.rglob("*")):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)


def sweep_leftovers() -> None:
    """Remove the folders and cgroups of runs that were killed before they could clean up."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_PREFIX}*-*-*-*"):
        if not owner_alive(folder.name.removeprefix(_FOLDER_PREFIX)):
            shutil.rmtree(folder, ignore_errors=True)
    if cgroup.available():
        cgroup.sweep()
