"""Counts what each test file costs: a pytest plugin that `bench/tests.py` loads into every worker.

A file's CPU seconds are those of the worker and of every process below it, from the first test of
the file to the first of the next: fixtures are counted where they are made, a server that several
files share where it computes. Processes that are alive are read from the kernel, ended ones as
soon as somebody waited for them; `reaping_python.py` waits for those whose parents have ended. So
nothing is lost, while the shell's ``time`` misses what runs in a sandbox that is killed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

FOLDER = "PROCTOR_FILE_COSTS"  # the variable that names where the costs are written
START = "(start and collection)"


class FileCosts:
    """The costs of one process, written a line a file."""

    def __init__(self, root: Path, out: Path) -> None:
        self._root = root
        self._out = out
        self._file, self._tests = START, 0
        self._cpu, self._wall = 0.0, psutil.Process().create_time()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Begin a new account with the first test of a file."""
        file = item.path.relative_to(self._root).as_posix()
        if file != self._file:
            self._close_account(file)
        self._tests += 1
        return (yield)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Close the last account."""
        self._close_account("")

    def _close_account(self, next_file: str) -> None:
        cpu, wall = cpu_seconds(), time.time()
        row = {
            "file": self._file,
            "cpu": cpu - self._cpu,
            "wall": wall - self._wall,
            "tests": self._tests,
        }
        with (self._out / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._file, self._tests, self._cpu, self._wall = next_file, 0, cpu, wall


def cpu_seconds() -> float:
    """Return the CPU time of this process and of all that are or were below it.

    The process that directs the workers leaves them and theirs to themselves.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return time.process_time()
    total = _orphaned()
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.Error):  # it has ended meanwhile
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def _orphaned() -> float:
    """Return what `reaping_python.py` has added up, if it has started this process."""
    book = Path(os.environ.get(FOLDER, "")) / f"orphans-{os.getppid()}"
    return float(book.read_text()) if book.is_file() else 0.0


def pytest_configure(config: pytest.Config) -> None:
    """Count in this process."""
    config.pluginmanager.register(FileCosts(config.rootpath, Path(os.environ[FOLDER])))
