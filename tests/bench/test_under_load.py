"""Runs that came out unlike the first are told, and decide the exit status."""

import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import under_load

BENCH = Path(under_load.__file__)
RUN = under_load.Run(13.0, (("a", "passed", 1.0), ("b", "passed", 1.0)), 60.0, 31.4, 0.32)
SLOWER = replace(RUN, wall_seconds=200.0, cpu_seconds=40.0, cpu_share=0.4)
LESS = replace(RUN, score=12.0, outcomes=(("a", "passed", 1.0), ("b", "timeout", 0.0)))
FAULT = replace(RUN, score=None, outcomes=(), fault="no sandbox")


def test_what_a_run_cost_makes_no_difference():
    assert under_load.differing([RUN, SLOWER, RUN]) == []


def test_a_lost_test_is_named_with_its_run():
    assert under_load.differing([RUN, RUN, LESS]) == ["run 3: 12.0 instead of 13.0; b"]


def test_busy_processes_compute_and_are_gone_at_the_end():
    before = set(psutil.Process().children())
    with under_load.busy(2, 0):
        assert len(set(psutil.Process().children()) - before) >= 2
    alive = [process for process in psutil.Process().children() if process not in before]
    assert not [process for process in alive if "under_load" in " ".join(process.cmdline())]


@pytest.mark.parametrize(
    ("found", "status"), [((RUN, SLOWER), 0), ((RUN, LESS), 1), ((FAULT, FAULT), 1)]
)
def test_what_differs_decides_the_exit_status(monkeypatch, capsys, found, status):
    monkeypatch.setattr(under_load, "busy", lambda count, niceness: nullcontext())
    monkeypatch.setattr(under_load, "GradingPool", lambda jobs: nullcontext())
    monkeypatch.setattr(under_load, "receive", lambda path, assignment: None)
    monkeypatch.setattr(under_load, "runs", lambda pool, *rest: iter(found))
    monkeypatch.setattr(sys, "argv", ["under_load.py", "fnn", "somewhere"])
    with pytest.raises(SystemExit) as end:
        under_load.main()
    assert end.value.code == status
    assert f"of {len(found)} runs alike, each beside 8 busy" in capsys.readouterr().out


def test_its_help_says_what_it_is_for():
    done = subprocess.run(
        [sys.executable, BENCH, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Grade one submission again and again" in done.stdout
