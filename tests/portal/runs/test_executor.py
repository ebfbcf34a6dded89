import os
import signal
import subprocess
import sys

from portal.runs.executor import executor_name

HOLD = """
import sys
from pathlib import Path
from portal.runs.executor import executor_name
with executor_name(Path(sys.argv[1])) as name:
    print(name, flush=True)
    sys.stdin.read()
"""


def test_two_living_workers_bear_different_names(tmp_path):
    with executor_name(tmp_path) as first, executor_name(tmp_path) as second:
        assert first != second


def test_a_name_is_free_again_after_its_bearer_ended(tmp_path):
    with executor_name(tmp_path) as first:
        pass
    with executor_name(tmp_path) as second:
        assert second == first


def test_a_killed_workers_name_goes_to_its_successor(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        name = child.stdout.readline().strip()
        with executor_name(tmp_path) as other:
            assert other != name
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    with executor_name(tmp_path) as successor:
        assert successor == name


def test_instances_on_one_host_do_not_share_names(tmp_path):
    with executor_name(tmp_path / "one") as first, executor_name(tmp_path / "two") as second:
        assert first != second
