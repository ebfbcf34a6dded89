"""The grading server: imports a lab's suite and reference once, then forks a run for each job.

Started as ``python -I -B -m grader.grading.server FD`` with a `Setup` as the first message on that
socket. It answers ``ready`` (or ``failed`` and why), then takes jobs, each with a socket for the
run's own answers. It ends when the socket closes, and with it every run, zygote and sandbox: they
ask the kernel to die with it. pytest collects once, before the first job; each fork runs the
tests it collected, and never comes back from that: see `TrustedRun`.
"""

from __future__ import annotations

import importlib
import os
import selectors
import socket
import sys
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from grader.errors import ProctorError, SandboxError
from grader.grading.collected import CollectedSuite
from grader.grading.digest import suite_digest
from grader.grading.forked_run import ForkedRun
from grader.grading.harness.collecting import collect
from grader.grading.harness.so_far import RunSoFar
from grader.grading.harness.suite import LoadedSuite
from grader.grading.job import GradingJob, Setup
from grader.grading.reference import load_reference
from grader.grading.reports import environment
from grader.grading.supply import SandboxSupply
from grader.grading.trusted import TrustedRun
from grader.lab.catalogue import Lab
from grader.lab.manifest import load_assignment
from grader.sandbox import Tier, confinement, sweep_leftovers
from grader.sandbox.guest import kernel
from grader.sandbox.guest.memory import prepare_for_forks
from grader.sandbox.guest.messages import MessageSocket
from grader.sandbox.pool import Nursery


class GradingServer:
    """One lab's suite, collected; its sandboxes; the runs that are going on."""

    def __init__(self, control: MessageSocket, setup: Setup) -> None:
        """Start the zygotes, and import the reference while they import their libraries."""
        self._control = control
        self._lab = Lab(load_assignment(setup.public), setup.public, setup.reference)
        self._suite_digest = suite_digest(self._lab)
        wanted, minimum = (
            None if tier is None else Tier(tier) for tier in (setup.tier, setup.minimum_tier)
        )
        chosen = confinement(wanted, minimum)
        self._tier = chosen.tier
        self._runs: set[ForkedRun] = set()
        self._selector = selectors.DefaultSelector()
        self._supply = SandboxSupply(
            self._lab.assignment, chosen, setup, self._selector, self._abort_users
        )
        if any("torch" not in hide for hide in self._supply.warm_up()):
            importlib.import_module("torch")  # such a sandbox may send us tensors
        reference = load_reference(setup.reference, self._lab.assignment)
        self._suite = LoadedSuite(self._lab.assignment, reference)

    def main(self) -> None:
        """Collect the suite and serve; return when the caller is gone."""
        own = os.getpid()
        folder = self._lab.reference / "suite" if self._lab.reference else Path()
        collect(self._suite, folder, self._serve)
        if os.getpid() != own:
            os._exit(1)  # a fork that could not take its job; pytest has said why in its log
        if self._suite.faults:
            self._control.send({"failed": "\n\n".join(self._suite.faults)})

    def _serve(self, session: pytest.Session) -> bool:
        """Fork a run for each job. True in the fork; False here, when there are no more."""
        self._get_ready(session)
        self._selector.register(self._control, selectors.EVENT_READ, partial(self._accept, session))
        while True:
            for key, _ in self._selector.select():
                in_fork = key.data()
                if in_fork is not None:
                    return bool(in_fork)

    def _get_ready(self, session: pytest.Session) -> None:
        """Say that jobs may come; from here on every fork shares this process's memory."""
        if any("figure" in getattr(item, "fixturenames", ()) for item in session.items):
            importlib.import_module("grader.grading.harness.pictures")  # costs more than most tests
        environment(self._tier, {})  # remembers what it finds; some of it needs a process to ask
        for item in session.items:
            _ = item.location  # remembered, so that no run has to find it
        # Collected; from here on what pytest would print costs every test and is read by nobody.
        session.config.pluginmanager.unregister(name="terminalreporter")
        prepare_for_forks()
        suite = CollectedSuite(tests=tuple(self._suite.specs.values()))
        self._control.send({"ready": os.getpid(), "suite": suite.model_dump(mode="json")})

    def _accept(self, session: pytest.Session) -> bool | None:
        """Take a job; None to go on, True in the fork, False when the caller is gone."""
        received = self._control.receive()
        if received is None:
            self._close()
            return False
        message, (fd,) = received
        caller = MessageSocket(socket.socket(fileno=fd))
        if self._fork(session, GradingJob.model_validate(message), caller, RunSoFar()):
            return True
        self._control.send({"taken": message["name"]})
        return None

    def _fork(
        self,
        session: pytest.Session,
        job: GradingJob,
        caller: MessageSocket,
        so_far: RunSoFar,
    ) -> bool:
        """Begin a run of the session's tests, or go on with it, in a child; True there."""
        ours, theirs = (MessageSocket(end) for end in socket.socketpair())
        log = tempfile.TemporaryFile()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _die_with(parent)
            ours.close()
            self._forget()
            for fd in (1, 2):
                os.dup2(log.fileno(), fd)
            TrustedRun(
                self._suite,
                job,
                tier=self._tier,
                suite_digest=self._suite_digest,
                caller=caller,
                server=theirs,
                so_far=so_far,
            ).begin(session)
            return True
        theirs.close()
        run = ForkedRun(pid, job, ours, caller, log, so_far)
        self._runs.add(run)
        self._selector.register(ours, selectors.EVENT_READ, partial(self._hear, session, run))
        return False

    def _forget(self) -> None:
        """Close, in a fork, what is the server's and the other runs'."""
        self._selector.close()
        self._control.close()
        for run in self._runs:
            run.release()
        self._supply.release()

    def _hear(self, session: pytest.Session, run: ForkedRun) -> bool | None:
        """Give a run the sandboxes it asks for, or see it off; True in the fork that goes on."""
        wanted = run.hear()
        if wanted is None:
            self._strike_off(run)
            so_far = run.see_off()
            if so_far is not None and self._fork(session, run.job, run.caller, so_far):
                return True
            return None
        for hide in wanted:
            try:
                nursery = self._supply.nursery(hide)
                nursery.take(partial(run.hand_over, nursery))
            except SandboxError as error:
                run.refuse(error)
        return None

    def _strike_off(self, run: ForkedRun) -> None:
        self._selector.unregister(run.requests)
        self._runs.discard(run)

    def _abort_users(self, nursery: Nursery, error: SandboxError) -> None:
        """End the runs whose sandboxes died with their zygote: it looks like a student's crash."""
        for run in [run for run in self._runs if run.uses(nursery)]:
            self._abort(run, str(error))

    def _abort(self, run: ForkedRun, fault: str) -> None:
        self._strike_off(run)
        run.abort(fault)

    def _close(self) -> None:
        for run in list(self._runs):
            self._abort(run, "the grading was stopped")
        self._supply.close()


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
