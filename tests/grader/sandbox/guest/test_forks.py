"""Handlers of libraries around a fork: left out where they change nothing, and only there."""

import subprocess
import sys

import pytest

from grader.sandbox.guest import forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: nothing else forks")

PROGRAM = f"""
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("forks", {forks.__file__!r})
forks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(forks)
forks.intercept()
import random, threading
ran = []
os.register_at_fork(
    before=lambda: ran.append("before"),
    after_in_parent=lambda: ran.append("parent"),
    after_in_child=lambda: ran.append("child"),
)
def told(fork):
    ran.clear()
    sys.stdout.flush()
    pid = fork()
    if pid == 0:
        print(*ran, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
    print(*ran, flush=True)
def with_a_thread(fork):
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    told(fork)
    end.set()
    thread.join()
"""


def lines(program):
    command = [sys.executable, "-I", "-S", "-c", PROGRAM + program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def test_handlers_are_skipped_until_they_are_heeded():
    assert lines("told(forks.fork); told(os.fork)") == ["", "", "", ""]
    assert lines("forks.heed(); told(os.fork)") == ["before child", "before parent"]


def test_our_own_fork_skips_them_and_leaves_them_to_others():
    said = lines("forks.heed(); told(forks.fork); told(os.fork)")
    assert said == ["", "", "before child", "before parent"]


def test_with_other_threads_they_always_run():
    said = lines("forks.heed(); with_a_thread(forks.fork); told(forks.fork)")
    assert said == ["before child", "before parent", "", ""]


def test_the_libraries_of_python_are_among_them():
    program = """
forks.heed()
random.seed(1)
def drawn(fork):
    r, w = os.pipe()
    pid = fork()
    if pid == 0:
        os.write(w, str(random.random()).encode())
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(r, 100).decode()
print(drawn(forks.fork) == drawn(forks.fork), drawn(os.fork) == drawn(os.fork))
"""
    assert lines(program) == ["True False"]
