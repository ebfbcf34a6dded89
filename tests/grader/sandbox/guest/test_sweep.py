"""The keeper's sweep spares what it was told to keep, however slowly the killed ones die."""

import signal

import pytest

from grader.sandbox.guest import runner


@pytest.fixture
def namespace(monkeypatch):
    """Pretend; return (signals sent, a list to fill with who lives below us at each look)."""
    sent = []
    looks = []
    monkeypatch.setattr(runner.os, "kill", lambda pid, number: sent.append((number, pid)))
    monkeypatch.setattr(runner.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(runner, "_descendants", lambda: looks.pop(0))
    return sent, looks


def test_a_process_that_dies_slowly_is_waited_for_and_killed_once(namespace):
    sent, looks = namespace
    looks += [{2, 3, 9}] * 400 + [{2, 3}]
    assert runner._sweep([2, 3]) is True
    assert sent == [(signal.SIGSTOP, 9), (signal.SIGKILL, 9)]


def test_all_are_stopped_before_the_first_is_killed(namespace):
    sent, looks = namespace
    looks += [{7, 8, 9}, set()]
    runner._sweep([])
    assert [number for number, _ in sent] == [signal.SIGSTOP] * 3 + [signal.SIGKILL] * 3


def test_a_sandbox_that_fills_again_and_again_is_given_up(namespace):
    sent, looks = namespace
    looks += [{2, *range(100 * n, 100 * n + 60)} for n in range(1, 100)]
    assert runner._sweep([2]) is False
    assert 2 not in {pid for _, pid in sent}
