"""A validation that meets a fault of ours ends, and begins none of the checks that are left."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grader.authoring.validate import Finding, ValidationPlan, run, validate
from grader.errors import GradingError
from grader.lab.catalogue import Catalogue

HOME = Path(__file__).parents[2] / "home"


def test_after_a_fault_of_ours_no_further_check_is_begun(monkeypatch):
    ended = threading.Event()
    begun = []

    class Threads(ThreadPoolExecutor):
        """Lets the check that waits go on once it is decided what becomes of the others."""

        def shutdown(self, wait=True, *, cancel_futures=False):
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            ended.set()
            super().shutdown(wait=wait)

    def faulty():
        raise GradingError("the suite has no tests")

    def waits():
        begun.append("a check")
        ended.wait()
        return Finding("a claim", True)

    monkeypatch.setattr(run, "ThreadPoolExecutor", Threads)
    monkeypatch.setattr(run, "_checks", lambda bench, plan: [faulty, *[waits] * 20])
    with pytest.raises(GradingError, match="has no tests"):
        validate(Catalogue(HOME).get("tiny"), ValidationPlan(automatic=False, jobs=1))
    assert len(begun) <= 1
