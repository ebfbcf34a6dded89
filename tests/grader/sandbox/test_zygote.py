"""A zygote forks sandboxes that share nothing but the libraries, and dies without remains."""

import os
import signal
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from grader.errors import SandboxError
from grader.sandbox import (
    Sandbox,
    SandboxSpec,
    ZygoteProcess,
    best_tier,
    confinement,
    sweep_leftovers,
)
from grader.sandbox.ownership import FOLDER_PREFIX
from grader.sandbox.pool import Nursery, idle_count

CODE = """
import argparse, os, sys

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=500)
steps = parser.parse_args().steps
arguments = [*sys.argv, *sys.orig_argv[1:]]

def leave(text):
    for folder in (os.environ["HOME"], "/dev/shm"):
        try:
            open(os.path.join(folder, "left"), "w").write(text)
        except OSError:
            pass

def find():
    found = []
    for folder in (os.environ["HOME"], "/dev/shm", "/tmp"):
        try:
            found += [name for name in os.listdir(folder) if name == "left"]
        except OSError:
            pass
    return found

def descriptors():
    kinds = []
    for fd in range(256):
        try:
            kinds.append(os.readlink(f"/proc/self/fd/{fd}").partition(":")[0])
        except OSError:
            continue
    return kinds

def modules():
    import sys
    return sorted(name for name in sys.modules if name.partition(".")[0] in
                  ("grader", "pytest", "_pytest", "psutil", "guest", "pyseccomp"))

def command_lines():
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            found.append(open(f"/proc/{name}/cmdline").read())
    return found

def overwrite_interpreter():
    try:
        os.open("/proc/self/exe", os.O_WRONLY)
    except OSError as error:
        return error.errno
"""


def write(folder: Path) -> None:
    (folder / "lab.py").write_text(CODE)


@pytest.fixture
def zygote():
    zygote = ZygoteProcess(confinement(best_tier()), SandboxSpec(memory_mb=300))
    yield zygote
    zygote.close()


@pytest.fixture
def box(zygote):
    with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as sandbox:
        yield sandbox


def call(box, name, *args):
    with box.session(0, 5.0) as session:
        return session.channel.ask("call", ["lab", name], list(args), {})


def test_what_one_submission_leaves_the_next_one_does_not_find(zygote, box):
    with box.session(0, 5.0) as session:
        session.channel.ask("call", ["lab", "leave"], ["mine"], {})
        assert session.channel.ask("call", ["lab", "find"], [], {})
        with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as other:
            assert call(other, "find") == []


def test_a_test_holds_its_own_socket_and_the_output_alone(box):
    kinds = call(box, "descriptors")
    assert len(kinds) <= 6
    assert kinds.count("socket") <= 2  # its own, and the template's


def test_nothing_of_the_grader_is_in_memory(box):
    found = call(box, "modules")
    assert not [name for name in found if name.partition(".")[0] in ("grader", "pytest", "psutil")]


def test_command_lines_name_no_folder_of_ours(box):
    if not os.path.isdir("/proc"):
        return
    told = "".join(call(box, "command_lines"))
    assert "assignments" not in told
    assert "reference" not in told


def test_a_command_line_is_the_students_script_alone(box):
    assert not box.failures
    with box.session(0, 5.0) as session:
        assert session.channel.ask("get", ["lab", "steps"]) == 500
        script = os.path.join(box._cell.inside, "lab.py")
        assert session.channel.ask("get", ["lab", "arguments"]) == [script, script]


def test_the_interpreter_cannot_be_overwritten_through_proc(box):
    assert call(box, "overwrite_interpreter")


def test_a_cell_that_dies_is_replaced(zygote, box):
    first = box._cell
    first.kill()
    assert call(box, "find") == []
    assert box._cell is not first


def test_a_killed_zygote_takes_its_sandboxes_along(zygote, box):
    pids = box._cell.tree.describe()[0]
    tree = [psutil.Process(pid) for pid in pids]
    zygote._process.send_signal(signal.SIGKILL)
    zygote._process.wait()
    psutil.wait_procs(tree, timeout=20)
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in tree)
    with pytest.raises(SandboxError, match="zygote"):
        zygote.spawn()


def test_a_warm_import_that_fails_is_told(monkeypatch):
    zygote = ZygoteProcess(confinement(best_tier()), SandboxSpec(warm=("no_such_library",)))
    try:
        with pytest.raises(SandboxError, match="no_such_library"):
            zygote.spawn()
    finally:
        zygote.close()


def test_temporary_files_may_lie_where_other_users_cannot_look(tmp_path, monkeypatch):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr("tempfile.tempdir", str(closed))
    zygote = ZygoteProcess(confinement(best_tier()), SandboxSpec(warm=("numpy", "torch")))
    try:
        with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as sandbox:
            assert call(sandbox, "find") == []
    finally:
        zygote.close()


def test_a_nursery_has_a_sandbox_ready_and_makes_another(tmp_path):
    nursery = Nursery(confinement(best_tier()), SandboxSpec(memory_mb=300), idle=1)
    try:
        taken = []
        nursery.take(taken.append)
        nursery.take(taken.append)
        while len(taken) < 2:
            nursery.collect()
        assert taken[0] is not taken[1]
        nursery.discard(taken[0])
        assert not taken[0].folder.exists()
        assert taken[1].folder.exists()
    finally:
        nursery.close()
    assert not taken[1].folder.exists()


def test_waiting_runs_hear_of_a_zygote_that_is_gone():
    nursery = Nursery(confinement(best_tier()), SandboxSpec(warm=("no_such_library",)), idle=1)
    heard = []
    nursery.take(heard.append)
    with pytest.raises(SandboxError):
        nursery.collect()
    nursery.close()
    assert [type(news) for news in heard] == [SandboxError]


def test_as_many_are_kept_ready_as_the_machine_can_afford(monkeypatch):
    memory = type("Memory", (), {"available": 10 * 2**30})
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    assert idle_count(2) == 3
    memory.available = 300 * 2**20
    assert idle_count(8) == 1


def test_a_sweep_removes_the_folders_of_the_dead_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    me = psutil.Process()
    mine = tmp_path / f"{FOLDER_PREFIX}{me.pid}-{int(me.create_time())}-0-abc"
    dead = tmp_path / f"{FOLDER_PREFIX}999999999-1-0-abc"
    other = tmp_path / "somebody-elses-999999999-1-0-abc"
    for folder in (mine, dead, other):
        folder.mkdir()
    sweep_leftovers()
    assert sorted(tmp_path.iterdir()) == sorted([mine, other])


THREADED = """
import logging
import os
import random
import threading

if WAITING:
    threading.Thread(target=threading.Event().wait, daemon=True).start()

def threads():
    logging.getLogger("lab").warning("said")
    return threading.active_count()

def drawn_in_forks():
    random.seed(1)
    found = []
    for _ in range(2):
        reader, writer = os.pipe()
        if os.fork() == 0:
            os.write(writer, repr(random.random()).encode())
            os._exit(0)
        found.append(os.read(reader, 100).decode())
    return found
"""


@pytest.mark.parametrize("waiting", [False, True], ids=["alone", "beside a thread"])
def test_threads_and_seeds_are_right_in_forks(zygote, waiting):
    """Handlers around forks are left out only where they would change nothing."""

    def write(folder: Path) -> None:
        (folder / "lab.py").write_text(THREADED.replace("WAITING", str(waiting)))

    with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as box:
        assert call(box, "threads") == 1
        first, second = call(box, "drawn_in_forks")
        assert first != second
