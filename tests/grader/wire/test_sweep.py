"""The keeper's sweep spares what it was told to keep, however slowly the killed ones die."""

import pytest

from grader.wire import runner


@pytest.fixture
def namespace(monkeypatch):
    """Pretend to be PID 1; return (signals sent, a function that sets who lives at each look)."""
    sent = []
    looks = []
    monkeypatch.setattr(runner.os, "getpid", lambda: 1)
    monkeypatch.setattr(runner.os, "kill", lambda pid, number: sent.append(pid))
    monkeypatch.setattr(runner.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(runner, "_living", lambda: looks.pop(0))
    return sent, looks


def test_a_process_that_dies_slowly_is_waited_for(namespace):
    sent, looks = namespace
    looks += [[1, 2, 3, 9]] * 400 + [[1, 2, 3]]
    assert runner._sweep([2, 3]) == 1
    assert sent == [9]


def test_a_fork_bomb_is_ended_by_one_call_for_all(namespace):
    sent, looks = namespace
    looks += [[1, 2, *range(100 * n, 100 * n + 60)] for n in range(1, 100)]
    runner._sweep([2])
    assert sent[-1] == -1
    assert 2 not in sent


def test_outside_a_namespace_nothing_is_killed(namespace, monkeypatch):
    sent, _ = namespace
    monkeypatch.setattr(runner.os, "getpid", lambda: 4711)
    assert runner._sweep([]) == 0
    assert sent == []
