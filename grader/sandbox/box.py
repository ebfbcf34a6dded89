"""One sandbox for one submission: loaded once, forked for every test, thrown away."""

from __future__ import annotations

import math
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox import cgroup
from grader.sandbox.cell import Cell
from grader.sandbox.control import Control
from grader.sandbox.host import clock
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import (
    StudentCrashed,
    StudentError,
    StudentMemory,
    StudentNotImported,
)
from grader.sandbox.output import Output
from grader.sandbox.ownership import FOLDER_PREFIX, owner_alive, remove_tree

_ANSWER_SECONDS = 60.0  # of wall time, so that a busy machine never looks like a broken one
_IMPORT_SECONDS = 1200.0

Supply = Callable[[], Cell]


@dataclass(frozen=True)
class SandboxSession:
    """One test's fork: the channel to it and the budget it runs under."""

    channel: Channel
    budget: Budget


class Sandbox:
    """A keeper that holds no student code, a template that imported it, a fork a test.

    A sandbox serves one submission. After every test, whatever the test left running is killed,
    and files that it wrote are removed, unless another session is open, whose files they could be;
    if student code has taken the template down, the next test starts from a fresh import, and if
    it has taken the keeper down, in a fresh cell.
    """

    def __init__(
        self,
        supply: Supply,
        write: Callable[[Path], None],
        modules: tuple[str, ...],
        import_cpu_seconds: float,
    ) -> None:
        """Take a cell, put a submission's files in place (by `write`) and import its modules.

        A module that cannot be imported is noted in `failures`; if the import never ended, every
        session raises that. Raises SandboxError if there is no cell to be had.
        """
        self.import_failure: StudentError | None = None
        self.failures: dict[str, StudentNotImported] = {}
        self._supply = supply
        self._write = write
        self._modules = modules
        self._import_cpu_seconds = import_cpu_seconds
        self._spent = 0.0  # in cells before this one
        self._template: Control | None = None
        self._template_pid = 0
        self._open: list[int] = []  # pids of the tests whose sessions are open
        self._imported = False
        self._closed = False
        self._until = math.inf  # the watched second at which all waiting for student code ends
        self._move_in()
        kills = self._cell.oom_kills()
        try:
            self._import()
        except StudentCrashed as error:
            ended = self._crashed(str(error), kills)
            if not isinstance(ended, StudentError):
                raise ended from error
            self.import_failure = ended
        except StudentError as error:
            self.import_failure = error
        if self.import_failure is not None:
            self._drop_template()

    def _move_in(self) -> None:
        self._cell = self._supply()
        self.tier = self._cell.tier
        self.output = Output(self._cell.output)
        self._keeper = Control(self._cell.control)
        self._cpu_at_start = self._cell.cpu_seconds()  # of the start: not the student's
        self._queued = self._cell.tree.queued_seconds
        clock.follow(self._queued)
        self._write(self._cell.submission)
        _make_readable(self._cell.submission)

    def _import(self) -> None:
        """Fork a template off the keeper and let it import the submission."""
        ours, theirs = socket.socketpair()
        with theirs:
            pid = self._ask_for_template(theirs.fileno())
        self._template_pid = pid if type(pid) is int else 0
        self._template = Control(ours)
        budget = Budget(self._import_cpu_seconds, self.cpu_seconds, self._until)
        failures = self._template.receive("loaded", _IMPORT_SECONDS, budget.check)
        if not self._imported:
            # Only the first import is believed: a later one happens after hidden inputs have been
            # inside, and its error messages, which students are shown, could carry them out.
            self.failures = _not_imported(failures)
            self._imported = True
        if not self._open:
            self._accept_files()

    def _ask_for_template(self, fd: int) -> Any:
        """Ask the keeper, which holds no student code; move to a fresh cell if it is gone."""
        for attempt in (1, 2):
            message = {"op": "load", "root": self._cell.inside, "modules": list(self._modules)}
            try:
                self._keeper.send(message, fd)
                return self._keeper.receive("done", _ANSWER_SECONDS)
            except StudentCrashed as error:
                if attempt == 2:
                    raise SandboxError(f"the sandbox was lost: {error}") from error
                self._move()
        return None

    @contextmanager
    def session(
        self, seed: int, cpu_seconds: float, until: float = math.inf
    ) -> Iterator[SandboxSession]:
        """Fork one test off the template; on leaving, nothing of the test still runs.

        `until` is the watched second at which the test's wall time ends at the latest.
        """
        if self.import_failure is not None:
            raise self.import_failure.anew()
        self._until = until
        ours, theirs = socket.socketpair()
        self.output.restart()
        kills = self._cell.oom_kills()
        budget = Budget(cpu_seconds, self.cpu_seconds, until)
        pid = 0
        try:
            with theirs:
                pid = self._fork(seed, theirs.fileno())
            self._open.append(pid)
            yield SandboxSession(
                Channel(ours, budget.check, lambda reason: self._crashed(reason, kills)), budget
            )
        finally:
            ours.close()
            if not self._closed:
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
        """Have the keeper kill what no open session needs, and if none is open remove its files."""
        keep = [self._template_pid, *self._open]
        try:
            self._keeper.send({"op": "sweep" if self._open else "tidy", "keep": keep})
            clean = self._keeper.receive("done", _ANSWER_SECONDS)
        except StudentCrashed:
            clean = False
        if clean is not True:
            self._move()

    def _accept_files(self) -> None:
        """Have the keeper let stay, for every test, the files that the import has written."""
        try:
            self._keeper.send({"op": "accept"})
            self._keeper.receive("done", _ANSWER_SECONDS)
        except StudentCrashed:
            self._keeper.close()  # the next order fails, and the cell is left

    def _drop_template(self) -> None:
        self._forget_template()
        self._clean_up()

    def _forget_template(self) -> None:
        if self._template is not None:
            self._template.close()
            self._template = None
        self._template_pid = 0

    def _move(self) -> None:
        """Replace a cell that student code has brought down by one that is whole."""
        self._spent = self.cpu_seconds()
        self._forget_template()
        self._leave()
        self._move_in()

    def _leave(self) -> None:
        clock.leave(self._queued)
        self._keeper.close()
        self._cell.kill()
        self.output.close()

    def _crashed(self, reason: str, kills: int) -> Exception:
        """Tell a process killed for its memory from one that crashed, and both from our fault."""
        if self._cell.oom_kills() == kills:
            return StudentCrashed(reason)
        if self._cell.reached_memory_limit():
            return StudentMemory(f"killed by the kernel: more than {self._cell.memory_mb} MB")
        return SandboxError(
            "the machine itself ran out of memory; give it more, or grade fewer submissions at a "
            "time"
        )

    def cpu_seconds(self) -> float:
        """Return the CPU time the submission has used."""
        if self._closed:
            return self._spent
        return self._spent + self._cell.cpu_seconds() - self._cpu_at_start

    def close(self) -> None:
        """Kill everything inside; whoever supplied the cell removes what it made."""
        if self._closed:
            return
        self._spent = self.cpu_seconds()
        self._closed = True
        self._forget_template()
        self._leave()


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
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDER_PREFIX}*-*-*-*"):
        if not owner_alive(folder.name.removeprefix(FOLDER_PREFIX)):
            remove_tree(folder)
    if cgroup.available():
        cgroup.sweep()
