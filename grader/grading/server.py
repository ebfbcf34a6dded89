"""The grading server: imports a lab's suite and reference once, then forks a run for each job.

Started as ``python -I -B -m grader.grading.server FD`` with a `Setup` as the first message on that
socket. It answers ``ready`` (or ``failed`` and why), then takes jobs, each with a socket for the
run's own answers. It ends when the socket closes, and with it every run, zygote and sandbox: they
ask the kernel to die with it. pytest collects once, before the first job; each fork runs the
tests it collected.
"""

from __future__ import annotations

import importlib
import os
import selectors
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

import pytest

from grader.errors import ProctorError, SandboxError
from grader.grading.collected import CollectedSuite
from grader.grading.digest import suite_digest
from grader.grading.harness import fixtures, plugin
from grader.grading.harness.run import SuiteRun
from grader.grading.job import GradingJob, Setup
from grader.grading.reference import load_reference
from grader.grading.reports import environment
from grader.grading.trusted import TrustedRun, channel
from grader.lab.catalogue import Lab
from grader.lab.manifest import load_assignment
from grader.sandbox import Cell, SandboxSpec, Tier, confinement, sweep_leftovers
from grader.sandbox.guest import kernel
from grader.sandbox.guest.memory import prepare_for_forks
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.pool import Nursery

_INI = Path(plugin.__file__).with_name("pytest.ini")
# pytest's own plugins that are of no use to a hidden suite, and cost every test some time.
_LEFT_OUT = (
    "cacheprovider", "debugging", "doctest", "faulthandler", "junitxml", "legacypath", "logging",
    "pastebin", "setuponly", "setupplan", "stepwise", "threadexception", "unittest",
    "unraisableexception", "warnings",
)  # fmt: skip
_MAX_FAULT = 8_000


@dataclass(eq=False)
class _Run:
    """A forked run, as the server sees it."""

    pid: int
    channel: MessageSocket  # on which it asks for sandboxes
    answers: MessageSocket  # ours to use only if the run dies
    log: IO[bytes]
    cells: list[tuple[Nursery, Cell]] = field(default_factory=list)


class GradingServer:
    """One lab's suite, collected; its sandboxes; the runs that are going on."""

    def __init__(self, control: MessageSocket, setup: Setup) -> None:
        self._control = control
        self._setup = setup
        self._selector = selectors.DefaultSelector()
        self._runs: set[_Run] = set()
        self._nurseries: dict[tuple[str, ...], Nursery] = {}
        self._trusted: TrustedRun | None = None  # set in a fork: the job it is there for
        self.lab = Lab(load_assignment(setup.public), setup.public, setup.reference)
        wanted, minimum = (
            None if tier is None else Tier(tier) for tier in (setup.tier, setup.minimum_tier)
        )
        self._confinement = confinement(wanted, minimum)
        self.run = SuiteRun(self.lab.assignment, self._confinement.tier)
        self._digest = suite_digest(self.lab)

    def main(self) -> None:
        """Collect the suite and serve; return when the caller is gone, or a fork is done."""
        self._warm_up_sandboxes()
        self.run.reference = load_reference(self._setup.reference, self.lab.assignment)
        code = _run_pytest(self)
        if self._trusted is None and self.run.faults:
            self._control.send({"failed": "\n\n".join(self.run.faults)})
        elif self._trusted is not None:
            if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
                self.run.faults.append(f"pytest ended with {code!r}")
            self._trusted.finish()
            sys.stdout.flush()
            os._exit(0)  # nothing of the server's may be tidied up from a fork of it

    def _warm_up_sandboxes(self) -> None:
        """Start a zygote for each kind of part, to import its libraries while we import ours."""
        kinds = dict.fromkeys(
            part.without
            for part in self.lab.assignment.parts
            if not all(item.manual for item in part.items)
        )
        for hide in kinds:
            self._nursery(hide)
        if any("torch" not in hide for hide in kinds):
            importlib.import_module("torch")  # such a sandbox may send us tensors

    def _nursery(self, hide: tuple[str, ...]) -> Nursery:
        if hide not in self._nurseries:
            limits = self.lab.assignment.limits
            spec = SandboxSpec(
                hide=hide,
                warm=tuple(name for name in ("numpy", "torch") if name not in hide),
                memory_mb=limits.memory_mb,
                cpu_seconds=int(limits.cpu_seconds) + 60,
                gpu=self.lab.assignment.gpu,
                conceal=(self._setup.reference.parent, *self._setup.conceal),
            )
            nursery = Nursery(self._confinement, spec, self._setup.idle)
            self._nurseries[hide] = nursery
            self._watch(nursery, partial(self._collect, hide, nursery))
        return self._nurseries[hide]

    def _watch(self, source: Nursery | MessageSocket, on_readable: Any) -> None:
        self._selector.register(source, selectors.EVENT_READ, on_readable)

    def _collect(self, hide: tuple[str, ...], nursery: Nursery) -> None:
        try:
            nursery.collect()
        except SandboxError as error:
            self._selector.unregister(nursery)
            del self._nurseries[hide]  # whoever needs one next gets a new zygote
            for run in list(self._runs):
                # A sandbox that ended with its zygote looks like a crash of the student's.
                if any(source is nursery for source, _ in run.cells):
                    self._abort(run, str(error))
            nursery.close()

    def serve(self, session: pytest.Session) -> bool:
        """Fork a run for each job. True in the fork; False here, when there are no more."""
        self._ready(session)
        self._watch(self._control, self._accept)
        while True:
            for key, _ in self._selector.select():
                ended = key.data()
                if ended is not None:
                    return bool(ended)

    def _ready(self, session: pytest.Session) -> None:
        """Say that jobs may come; from here on every fork shares this process's memory."""
        if any("figure" in getattr(item, "fixturenames", ()) for item in session.items):
            importlib.import_module("grader.grading.harness.pictures")  # costs more than most tests
        environment(self.run.tier, {})  # remembers what it finds; some of it needs a process to ask
        for item in session.items:
            _ = item.location  # remembered, so that no run has to find it
        # Collected; from here on what pytest would print costs every test and is read by nobody.
        session.config.pluginmanager.unregister(name="terminalreporter")
        prepare_for_forks()
        suite = CollectedSuite(tests=tuple(self.run.specs.values()))
        self._control.send({"ready": os.getpid(), "suite": suite.model_dump(mode="json")})

    def _accept(self) -> bool | None:
        """Take a job; None to go on, True in the fork, False when the caller is gone."""
        received = self._control.receive()
        if received is None:
            self._close()
            return False
        message, (fd,) = received
        forked = self._fork(
            GradingJob.model_validate(message), MessageSocket(socket.socket(fileno=fd))
        )
        if not forked:
            self._control.send({"taken": message["name"]})
        return forked or None

    def _fork(self, job: GradingJob, answers: MessageSocket) -> bool:
        ours, theirs = channel()
        log = tempfile.TemporaryFile()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _die_with(parent)
            self._forget_others(ours)
            for fd in (1, 2):
                os.dup2(log.fileno(), fd)
            self._trusted = TrustedRun(
                self.lab, job, self.run, answers, MessageSocket(theirs), self._digest
            )
            self._trusted.begin()
            return True
        theirs.close()
        run = _Run(pid, ours, answers, log)
        self._runs.add(run)
        self._watch(ours, partial(self._hear, run))
        return False

    def _forget_others(self, ours: MessageSocket) -> None:
        """Close what a fork has no use for."""
        self._selector.close()
        ours.close()
        self._control.close()
        for run in self._runs:
            run.channel.close()
            run.answers.close()
        for nursery in self._nurseries.values():
            nursery.release()

    def _hear(self, run: _Run) -> None:
        """Give a run the sandbox it asks for, or see it off."""
        received = run.channel.receive()
        if received is None:
            self._see_off(run)
            return
        hide = tuple(received[0]["hide"])
        try:
            nursery = self._nursery(hide)
            nursery.take(partial(self._hand_over, run, nursery))
        except SandboxError as error:
            self._hand_over(run, None, error)

    def _hand_over(self, run: _Run, nursery: Nursery | None, cell: Cell | SandboxError) -> None:
        if isinstance(cell, SandboxError) or nursery is None:
            with suppress(OSError):
                run.channel.send({"fault": str(cell)})
            return
        run.cells.append((nursery, cell))
        known, fds = cell.describe()
        if run not in self._runs:
            nursery.discard(cell)
            return
        with suppress(OSError):
            run.channel.send(known, *fds)
        cell.release()

    def _see_off(self, run: _Run) -> None:
        """Remove what a run leaves, and answer for it if it could not."""
        self._selector.unregister(run.channel)
        self._runs.discard(run)
        _, status = os.waitpid(run.pid, 0)
        for nursery, cell in run.cells:
            nursery.discard(cell)
        if status != 0:
            run.log.seek(0)
            words = run.log.read().decode("utf-8", "replace")[-_MAX_FAULT:]
            code = os.waitstatus_to_exitcode(status)
            with suppress(OSError):
                run.answers.send({"fault": f"the trusted process ended with {code}:\n{words}"})
        for closable in (run.channel, run.answers, run.log):
            closable.close()

    def _abort(self, run: _Run, fault: str) -> None:
        """End a run that can come to nothing, and say why."""
        with suppress(OSError):
            run.answers.send({"fault": fault})
        with suppress(ProcessLookupError):
            os.kill(run.pid, signal.SIGKILL)
        self._see_off(run)

    def _close(self) -> None:
        for run in list(self._runs):
            self._abort(run, "the grading was stopped")
        for nursery in self._nurseries.values():
            nursery.close()


def _run_pytest(server: GradingServer) -> int:
    suite = server.lab.reference / "suite" if server.lab.reference else Path()
    # Nothing above the suite's folder is a part of it: no conftest.py, no package of a lab.
    arguments = [str(suite), "-c", str(_INI), "--rootdir", str(suite), "--confcutdir", str(suite)]
    arguments += ["--import-mode=importlib", "--strict-markers", "-q", "--tb=short", "-s"]
    arguments += [word for name in _LEFT_OUT for word in ("-p", f"no:{name}")]
    observer = plugin.SuitePlugin(server.run, server.serve)
    return int(pytest.main(arguments, plugins=[observer, fixtures]))


def _die_with(parent: int) -> None:
    if sys.platform == "linux":
        kernel.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Serve the caller on the other end of the socket in ``argv[1]``."""
    control = MessageSocket(socket.socket(fileno=int(sys.argv[1])))
    if not __debug__:
        sys.exit("python must not run with -O here: it strips the suite's assertions")
    received = control.receive()
    if received is None:
        return
    sweep_leftovers()
    try:
        GradingServer(control, Setup.model_validate(received[0])).main()
    except ProctorError as error:
        with suppress(OSError):
            control.send({"failed": str(error)})


if __name__ == "__main__":
    main()
