"""What a command used is counted with all its children, and nothing of it is left."""

import os
import sys

import psutil
import pytest
from overhead import meter
from overhead.meter import run_metered

BUSY = "import time\nwhile time.process_time() < {seconds}: pass\n"
TREE = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BUSY.format(seconds=0.3)!r}])
subprocess.Popen(["sleep", "5"])
"""


@pytest.fixture(params=["best", "children"], autouse=True)
def group(request, monkeypatch):
    """Try the best meter of this machine, and the one for those who are not root."""
    if request.param == "children":
        monkeypatch.setattr(meter, "make_group", meter.Children)


def metered(tmp_path, code, limit=60.0):
    command = [sys.executable, "-c", code]
    environ = {"PATH": os.environ["PATH"]}
    return run_metered(
        command, cwd=tmp_path, environ=environ, limit=limit, log=tmp_path / "log.txt"
    )


def test_children_count(tmp_path):
    usage = metered(tmp_path, BUSY.format(seconds=0.2) + TREE)
    assert usage.exit_code == 0, (tmp_path / "log.txt").read_text()
    assert usage.cpu > 0.45
    assert usage.peak_mb > 1


def test_a_command_past_its_limit_is_ended_with_all_it_started(tmp_path):
    code = "import subprocess; subprocess.run(['sleep', '322'])"
    assert metered(tmp_path, code, limit=1.0).exit_code is None
    every = psutil.process_iter(["cmdline"])
    left = [process for process in every if process.info["cmdline"] == ["sleep", "322"]]
    _, alive = psutil.wait_procs(left, timeout=10)  # killed, it still takes a moment to go
    assert not alive


def test_output_goes_to_the_log(tmp_path):
    metered(tmp_path, "print('hello')")
    assert (tmp_path / "log.txt").read_text() == "hello\n"
