"""The limited child: what it answers, and that nothing it does to itself harms the next one."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from grader.intake.limited import calling, child, run_limited

LENGTH = "import sys; data = sys.stdin.buffer.read(); print(len(data)); 1 / len(data)"
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux: elsewhere nothing forks")


def once(monkeypatch):
    monkeypatch.setattr(calling._FORKS, "ask", calling._ask_once)


@pytest.fixture(params=["forked", "once"])
def way(request, monkeypatch):
    """Run on a fork of the warm interpreter, and on one started for the request."""
    if request.param == "once":
        once(monkeypatch)


@pytest.mark.parametrize("size", [1, 200_000, 5_000_000])
def test_a_script_reads_the_data_and_is_heard(way, size):
    assert run_limited(LENGTH, os.urandom(size)) == b"%d\n" % size


@pytest.mark.parametrize(
    "script",
    [
        "1 / 0",
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "print('half', flush=True); raise SystemExit(3)",
        "not python",
    ],
    ids=["raises", "leaves", "is killed", "exits", "does not compile"],
)
def test_who_does_not_end_well_is_not_believed(way, script):
    assert run_limited(script, b"") is None
    assert run_limited(LENGTH, b"abc") == b"3\n"  # and the next is served


def test_processor_time_is_limited(way):
    assert run_limited("while True: pass", b"", cpu_seconds=1) is None


def test_memory_is_limited(way):
    assert run_limited("len(bytearray(300 << 20)); print()", b"", memory_mb=1000) == b"\n"
    assert run_limited("len(bytearray(300 << 20)); print()", b"", memory_mb=200) is None


def test_waiting_without_end_is_limited(monkeypatch):
    monkeypatch.setattr(calling, "_WALL_PER_CPU_SECOND", 1)
    assert run_limited("import time; time.sleep(3600)", b"", cpu_seconds=1) is None


def test_no_file_can_be_written(way, tmp_path):
    file = tmp_path / "x"
    assert run_limited(f"with open({str(file)!r}, 'w') as f: f.write('x')", b"") is None
    assert not file.exists() or file.read_bytes() == b""


def test_nothing_of_ours_is_in_its_environment(way, monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS", "1")
    said = run_limited("import os, sys; print(sorted(os.environ), sys.flags.isolated)", b"")
    assert said is not None
    assert b"SECRET_OF_OURS" not in said
    assert said.endswith(b" 1\n")


def test_a_script_leaves_nothing_for_the_next(way):
    assert run_limited("import sys; sys.left = 1; print(1)", b"") == b"1\n"
    assert run_limited("import sys; print(hasattr(sys, 'left'))", b"") == b"False\n"


def test_the_end_mark_cannot_be_left_out_by_an_early_end(way):
    script = f"import os; os.write(1, {child.END[:-1]!r}); os._exit(0)"
    assert run_limited(script, b"") is None


@linux
def test_a_child_has_no_other_descriptors():
    said = run_limited("import os; print(sorted(os.listdir('/proc/self/fd'), key=int))", b"")
    assert said in (b"['0', '1', '2', '3']\n",)  # the last one is the listing's own


@linux
def test_many_threads_are_served_at_once():
    found = []

    def ask(size):
        found.append((size, run_limited(LENGTH, bytes(size))))

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(1, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [(size, b"%d\n" % size) for size in range(1, 60)]


@linux
def test_a_lost_interpreter_is_replaced():
    assert run_limited(LENGTH, b"a") == b"1\n"
    process = calling._FORKS._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert run_limited(LENGTH, b"ab") == b"2\n"


@linux
def test_an_interpreter_lost_while_it_is_asked_is_not_the_datas_fault():
    assert run_limited(LENGTH, b"a") == b"1\n"
    process = calling._FORKS._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    found = []
    asking = threading.Thread(target=lambda: found.append(run_limited(LENGTH, b"ab")))
    asking.start()
    time.sleep(0.3)  # the message lies in its socket
    os.kill(process.pid, signal.SIGKILL)
    asking.join()
    assert found == [b"2\n"]


@linux
def test_an_ended_child_is_gone_whatever_the_interpreter_does_just_then():
    assert run_limited(LENGTH, b"a") == b"1\n"
    process = calling._FORKS._process
    assert process is not None
    interpreter = psutil.Process(process.pid)
    with socket.create_server(("127.0.0.1", 0)) as door:
        waits = f"import socket; socket.create_connection({door.getsockname()}).recv(1)"
        asking = threading.Thread(target=run_limited, args=(waits, b""))
        asking.start()
        connection, _ = door.accept()
        children = interpreter.children()
        interpreter.suspend()
        try:
            connection.close()
            asking.join()
            gone, _ = psutil.wait_procs(children, timeout=10)
        finally:
            interpreter.resume()
    assert gone == children != []


@linux
def test_that_no_child_can_be_had_is_said_as_our_loss(monkeypatch):
    monkeypatch.setattr(calling._FORKS, "ask", lambda request, seconds: b"")
    with pytest.raises(OSError, match="no child process began"):
        run_limited(LENGTH, b"a")


@linux
def test_a_fork_of_the_caller_may_ask_too():
    assert run_limited(LENGTH, b"a") == b"1\n"
    pid = os.fork()
    if pid == 0:
        os._exit(0 if run_limited(LENGTH, b"ab") == b"2\n" else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert run_limited(LENGTH, b"abc") == b"3\n"


@linux
def test_the_interpreter_ends_with_its_caller():
    program = (
        "import os; from grader.intake.limited import calling, run_limited\n"
        "run_limited('print()', b''); print(calling._FORKS._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, check=False)
    pid = int(said.stdout)
    deadline = time.monotonic() + 30
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline, "the warm interpreter outlived its caller"
        time.sleep(0.05)
