"""Every limit holds on every tier, and tells the student which one was reached."""

import os
import shutil
from contextlib import closing

import pytest

from grader.report import Outcome
from grader.report.causes import outcome_diagnosis, sentence
from grader.report.diagnosis import Cause
from grader.sandbox import Sandbox, SandboxSpec, Tier, ZygoteProcess, available_tiers, confinement
from grader.sandbox.host.failures import StudentError

CODE = """
import os, time

def processes():
    for _ in range(200):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)

def threads():
    import threading
    for _ in range(200):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

def open_files():
    return len([open("/dev/null") for _ in range(500)])

def file_size():
    with open("big", "wb") as file:
        for _ in range(100):
            file.write(bytes(10**6))

def files():
    for n in range(30_000):
        open(f"f{n}", "w").close()

def disk():
    for n in range(10):
        with open(f"part{n}", "wb") as file:
            file.write(bytes(30_000_000))

def memory():
    kept = []
    while True:
        kept.append(bytearray(20_000_000))

def shared_memory():
    import mmap
    kept = []
    while True:
        kept.append(mmap.mmap(-1, 20_000_000))
        kept[-1].write(bytes(20_000_000))

def cpu():
    while True:
        pass

def ignores_signals():
    import signal
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    while True:
        pass

def fine():
    return 1
"""
SPEC = SandboxSpec(memory_mb=300, scratch_mb=100, files=5_000, processes=40)
NEEDS_MOUNTS = "a folder of the host has no limit of its own: the file size and CPU time hold"

ROWS = {
    "processes": (Outcome.ERROR, Cause.PROCESSES),
    "threads": (Outcome.ERROR, Cause.PROCESSES),
    "open_files": (Outcome.ERROR, Cause.OPEN_FILES),
    "file_size": (Outcome.ERROR, Cause.FILE_SIZE),
    "files": (Outcome.ERROR, Cause.DISK_FULL),
    "disk": (Outcome.ERROR, Cause.DISK_FULL),
    "memory": (Outcome.MEMORY, None),
    "cpu": (Outcome.TIMEOUT, None),
    "ignores_signals": (Outcome.TIMEOUT, None),
}
NOT_ON = {("files", Tier.LANDLOCK): NEEDS_MOUNTS, ("disk", Tier.LANDLOCK): NEEDS_MOUNTS}


@pytest.fixture(params=[Tier.FULL, Tier.NAMESPACES, Tier.LANDLOCK], ids=int, scope="module")
def tier(request):
    if shutil.which("bwrap") is None and request.param < Tier.LANDLOCK:
        pytest.skip("needs bubblewrap: absent here")
    if request.param is Tier.FULL and os.geteuid() != 0:
        pytest.skip("needs root: this user is not")
    if request.param not in available_tiers():
        pytest.skip("needs Landlock: not in this kernel")
    return request.param


@pytest.fixture(scope="module")
def box(tier):
    zygote = ZygoteProcess(confinement(tier), SPEC)
    try:
        write = lambda folder: (folder / "lab.py").write_text(CODE)  # noqa: E731
        with closing(Sandbox(zygote.spawn, write, ("lab",), 5)) as sandbox:
            yield sandbox
    finally:
        zygote.close()


def call(box, name, cpu_seconds):
    with box.session(0, cpu_seconds) as session:
        return session.channel.ask("call", ["lab", name], [], {})


@pytest.mark.parametrize("name", ROWS)
def test_a_limit_has_its_outcome_and_its_sentence(box, tier, name):
    if (name, tier) in NOT_ON:
        return
    outcome, cause = ROWS[name]
    with pytest.raises(StudentError) as caught:
        call(box, name, cpu_seconds=1.0 if outcome is Outcome.TIMEOUT else 20.0)
    assert (caught.value.outcome, caught.value.cause) == (outcome, cause), str(caught.value)
    assert len(sentence(caught.value.diagnosis or outcome_diagnosis(outcome))) > 40
    assert call(box, "fine", 5.0) == 1


def test_memory_that_no_process_limit_counts_is_counted_by_the_group(box, tier):
    if tier is not Tier.FULL:
        return
    with pytest.raises(StudentError) as caught:
        call(box, "shared_memory", cpu_seconds=20.0)
    assert caught.value.outcome is Outcome.MEMORY
    assert call(box, "fine", 5.0) == 1
