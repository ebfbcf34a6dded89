"""Run one command a submission, some at a time: what a careful teaching assistant's script does.

    python drive.py PLAN.json

Each command gets a session of its own, a time limit, a limit of address space and a file for its
output. Standard library only.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from events import Events


def main():
    """Run the plan."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    events = Events(plan["events"])
    with ThreadPoolExecutor(plan["jobs"]) as pool:
        list(pool.map(lambda task: run(task, events), plan["tasks"]))


def run(task, events):
    """Run one submission's command to its end or its limit."""
    events.say("start", task["name"])
    with open(Path(task["cwd"]) / "output.txt", "wb") as output:
        process = subprocess.Popen(
            task["argv"],
            cwd=task["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: limit_memory(task["address_space"]),
        )
        in_time = wait(process.pid, task["timeout"])
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    events.say("done", task["name"], code=code if in_time else "timeout")


def limit_memory(size):
    """Limit this process's address space to `size` bytes."""
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def wait(pid, seconds):
    """Wait for a child without polling; return whether it ended in time."""
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    main()
