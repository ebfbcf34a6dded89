"""A lost test and a run that could not be made are told apart, and neither is passed over."""

import sys
from contextlib import nullcontext
from types import SimpleNamespace

import fresh_runs
import pytest

from grader.errors import GradingError
from grader.report import Outcome

TESTS = ("a", "b")


class Pool:
    """Stands for a GradingPool that returns, or raises, what it is told to, run by run."""

    def __init__(self, *found):
        self.found = list(found)
        self.keys = []

    def run_tests(self, lab, reference, tests, *, key, variant):
        self.keys.append(key)
        found = self.found.pop(0)
        if isinstance(found, GradingError):
            raise found
        return found


def measured(**outcomes):
    return SimpleNamespace(outcomes=outcomes, cpu_seconds=2.0)


PASSED = measured(a=Outcome.PASSED, b=Outcome.PASSED)
FAILED = measured(a=Outcome.PASSED, b=Outcome.FAILED)
FAULT = GradingError("no sandbox")


def row():
    lab = SimpleNamespace(assignment=SimpleNamespace(slug="fnn"))
    return fresh_runs.Row(lab, "sin", TESTS, reference=None)


def test_a_row_counts_what_is_lost_and_names_it():
    pool, found = Pool(PASSED, FAILED, measured(a=Outcome.PASSED), FAULT), row()
    for number in range(4):
        found.run(pool, "label", number)
    assert (found.runs, found.cpu_seconds) == (3, 6.0)  # the last was no run of the reference
    assert found.lost == ["1: b", "2: b"]
    assert found.faults == ["3: no sandbox"]
    assert found.told().startswith("| fnn sin | 2 | 3 | 2 |")
    assert len(set(pool.keys)) == 4


def test_a_label_repeats_its_keys():
    first, second, other = Pool(PASSED), Pool(PASSED), Pool(PASSED)
    row().run(first, "one", 7)
    row().run(second, "one", 7)
    row().run(other, "two", 7)
    assert first.keys == second.keys != other.keys


@pytest.mark.parametrize(("found", "status"), [(PASSED, 0), (FAILED, 1), (FAULT, 1)])
def test_what_was_lost_decides_the_exit_status(monkeypatch, capsys, found, status):
    monkeypatch.setattr(fresh_runs, "GradingPool", lambda jobs: nullcontext(Pool(found)))
    monkeypatch.setattr(fresh_runs, "rows", lambda slugs: [row()])
    clock = iter((0.0, 0.0, 100.0))
    monkeypatch.setattr(fresh_runs.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(sys, "argv", ["fresh_runs.py", "--minutes", "1", "--jobs", "1", "fnn"])
    with pytest.raises(SystemExit) as end:
        fresh_runs.main()
    assert end.value.code == status
    assert "| fnn sin | 2 |" in capsys.readouterr().out
