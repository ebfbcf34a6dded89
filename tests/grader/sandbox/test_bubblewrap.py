"""Sandboxes under bubblewrap: never as root, nothing of the host inside, nothing left behind."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from grader.sandbox import Sandbox, SandboxSpec, Tier, ZygoteProcess, cgroup, confinement
from grader.sandbox.bubblewrap import _filesystem
from grader.sandbox.confinement import Interpreter
from grader.sandbox.host.failures import StudentCrashed, StudentError, StudentMemory, StudentTimeout
from grader.sandbox.output import KEPT_BYTES

CODE = """
import ctypes, os, socket, time

libc = ctypes.CDLL(None, use_errno=True)

def refused(name, *args):
    ctypes.set_errno(0)
    return getattr(libc, name)(*args) == -1 and ctypes.get_errno() == 1

def internet():
    socket.socket(socket.AF_INET)

def listing(path):
    return sorted(os.listdir(path))

def environment():
    return dict(os.environ)

def write(path):
    open(path, "w").write("x")

def spin():
    while True:
        pass

def grow():
    kept = []
    while True:
        kept.append(bytearray(50_000_000))

def leave():
    os._exit(0)

def kill_all():
    os.kill(-1, 9)

def shout(count):
    print("y" * count)

def daemon():
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)

def processes():
    # The living: the dead keep their entry until their parent looks.
    stats = [open(f"/proc/{name}/stat").read() for name in os.listdir("/proc") if name.isdigit()]
    return len([stat for stat in stats if stat.rpartition(")")[2].split()[0] not in "ZX"])
"""


@pytest.fixture(params=[Tier.FULL, Tier.NAMESPACES], ids=["tier1", "tier2"], scope="module")
def tier(request):
    if shutil.which("bwrap") is None:
        pytest.skip("needs bubblewrap: absent here")
    if request.param is Tier.FULL and not cgroup.available():
        pytest.skip("needs control groups: absent here")
    return request.param


def write(folder):
    (folder / "lab.py").write_text(CODE)


@pytest.fixture(scope="module")
def box(tier):
    zygote = ZygoteProcess(confinement(tier), SandboxSpec(memory_mb=300))
    try:
        with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as sandbox:
            yield sandbox
    finally:
        zygote.close()


@pytest.fixture
def call(box):
    """Call a function of the submission in a fork of its own."""

    def ask(name, *args, cpu_seconds=2.0):
        with box.session(0, cpu_seconds) as session:
            return session.channel.ask("call", ["lab", name], list(args), {})

    return ask


def test_no_process_of_a_sandbox_is_roots(box):
    roots = [psutil.Process(pid) for pid in box._cell.tree.describe()[0]]
    family = [*roots, *(child for root in roots for child in root.children(recursive=True))]
    assert len(family) >= 4  # bubblewrap and its sleeper, the keeper, the template
    users = {process.uids().real for process in family}
    assert 0 not in users
    if os.geteuid() == 0:
        assert min(users) >= 1_000_000_000


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("ptrace", (0, 0, 0, 0)),
        ("unshare", (0x10000000,)),
        ("mount", (b"none", b"/sandbox/scratch", b"tmpfs", 0, None)),
        ("chroot", (b"/",)),
        ("setns", (0, 0)),
        ("shmget", (0, 4096, 0o1600)),
        ("msgget", (0, 0o1600)),
        ("semget", (0, 1, 0o1600)),
    ],
)
def test_dangerous_system_calls_are_refused(call, name, args):
    assert call("refused", name, *args)


def test_there_is_no_network(call):
    with pytest.raises(StudentError, match="PermissionError"):
        call("internet")


def test_nothing_of_the_environment_is_inside(call):
    assert set(call("environment")) <= {
        "PATH", "HOME", "TMPDIR", "LANG", "PWD",
        "OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
    }  # fmt: skip


def test_the_home_folders_of_the_host_are_not_inside(call):
    with pytest.raises(StudentError, match="FileNotFoundError"):
        call("listing", "/home")


@pytest.mark.parametrize(
    "path", ["/sandbox/submission/x", "/usr/x", "/x", "/proc/sys/kernel/hostname"]
)
def test_only_the_scratch_folder_can_be_written(call, path):
    with pytest.raises(StudentError, match="Read-only|Permission"):
        call("write", path)
    call("write", "/sandbox/scratch/x")


def test_an_endless_loop_is_stopped_by_cpu_time(call):
    with pytest.raises(StudentTimeout):
        call("spin", cpu_seconds=0.5)
    assert call("processes") > 0


def test_too_much_memory_is_told_from_a_crash(call):
    with pytest.raises(StudentError) as caught:
        call("grow", cpu_seconds=20)
    assert isinstance(caught.value, StudentMemory) or caught.value.outcome == "memory"


@pytest.mark.parametrize("name", ["leave", "kill_all"])
def test_a_test_that_ends_its_process_costs_that_test_alone(call, name):
    if name == "leave":
        with pytest.raises(StudentCrashed):
            call(name)
    else:
        call(name)
    assert call("listing", "/sandbox/submission") == ["lab.py"]


def test_what_a_test_leaves_running_is_gone_at_its_end(call):
    before = call("processes")
    call("daemon")
    assert call("processes") == before


def test_output_is_drained_but_kept_only_to_a_cap(box, call):
    call("shout", 5_000_000, cpu_seconds=10)
    text = box.output.text()
    assert len(text) < KEPT_BYTES + 200
    assert "more bytes of output not kept" in text


def living(pid):
    """Whether a process still runs; one that has ended may wait for its parent to notice."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_closed_sandbox_leaves_nothing(tier, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    zygote = ZygoteProcess(confinement(tier), SandboxSpec(memory_mb=300))
    sandbox = Sandbox(zygote.spawn, write, ("lab",), 5)
    pids = sandbox._cell.tree.describe()[0]
    sandbox.close()
    zygote.close()
    assert list(tmp_path.iterdir()) == []
    assert not any(living(pid) for pid in pids)
    parent = cgroup.ROOT / "memory" / cgroup.PARENT
    mine = [f for f in parent.glob(f"{os.getpid()}-*") if f.is_dir()] if parent.is_dir() else []
    assert len(mine) <= 1  # the module's own sandbox may still be open


@pytest.mark.parametrize("home", ["/opt/course", "/tmp/course"])
def test_a_checkout_below_tmp_is_no_obstacle(home):
    library = f"{home}/.venv"
    interpreter = Interpreter("/usr/bin/python3", (Path(library),), ())
    arguments = list(_filesystem(SandboxSpec(), interpreter))
    # A link cannot be made where a mount has made a folder, and a mount must come after its base.
    links = "--symlink" in arguments[arguments.index("--ro-bind") :]
    before = arguments[: arguments.index(library)]
    assert links == ("/tmp" not in before) == (home == "/opt/course")
