"""The floor: one warm process that forks for each submission and runs pytest in the fork.

    python floor.py PLAN.json

Before the first fork the process runs the tests once on the model solution, so that whatever is
imported or set up on first use is there already. Nothing is protected from a submission here; a
time limit is all it meets.
"""

import gc
import json
import os
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path

import numpy  # noqa: F401 - warm for every fork
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from events import Events


def main():
    """Run the plan; the forks are made by this thread, which is the only one."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(1)
    warm_up(plan)
    events = Events(plan["events"])
    waiting, running = list(plan["tasks"]), {}
    while waiting or running:
        while waiting and len(running) < plan["jobs"]:
            task = waiting.pop(0)
            events.say("start", task["name"])
            pid = fork(task)
            running[os.pidfd_open(pid)] = (pid, task)
        collect(running, events)


def warm_up(plan):
    """Run the tests once here, and forget the modules they came from."""
    home, path = os.getcwd(), list(sys.path)
    os.chdir(plan["warm"])
    sys.path.insert(0, "")
    if pytest.main(plan["tasks"][0]["arguments"]) != 0:
        sys.exit("the model solution does not pass")
    for name in ("functions", "test_hidden"):
        del sys.modules[name]
    sys.path[:] = path
    os.chdir(home)
    gc.collect()
    gc.freeze()  # or pytest's own collections walk all of torch in every fork


def fork(task):
    """Start a submission's tests; return the pid."""
    pid = os.fork()
    if pid:
        return pid
    os.setsid()
    os.chdir(task["cwd"])
    output = os.open("output.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    signal.alarm(task["timeout"])  # its default action ends the process
    sys.path.insert(0, "")
    code = pytest.main(task["arguments"])
    sys.stdout.flush()
    os._exit(code)


def collect(running, events):
    """Wait until a fork has ended, and note it."""
    poll = select.poll()
    for descriptor in running:
        poll.register(descriptor, select.POLLIN)
    for descriptor, _ in poll.poll():
        pid, task = running.pop(descriptor)
        os.close(descriptor)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        events.say("done", task["name"], code=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
