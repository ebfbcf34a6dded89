"""``grader check`` runs the public tests and shows everything they say."""

import subprocess
from pathlib import Path

import pytest

from grader.intake import receive
from grader.lab.catalogue import Catalogue, Lab
from grader.public_tests import run_public_tests
from grader.report import Outcome

MANIFEST = """
schema = 1
slug = "sums"
title = "Sums"
[limits]
cpu_seconds = 10
[[files]]
path = "sums/add.py"
[[given]]
path = "sums/__init__.py"
[[parts]]
id = "one"
title = "One"
[[parts.items]]
id = "add"
title = "Adding"
points = 1
"""
TESTS = '''
import pytest
from sums.add import add

@pytest.mark.parametrize("x", [1, 2])
def test_add(x):
    """A number added to itself doubles."""
    assert add(x, x) == 2 * x

def test_zero_changes_nothing():
    assert add(3, 0) == 3
'''


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lab = tmp_path / "home" / "assignments" / "sums"
    (lab / "sums").mkdir(parents=True)
    (lab / "assignment.toml").write_text(MANIFEST)
    (lab / "sums" / "__init__.py").write_text("")
    (lab / "test_sums.py").write_text(TESTS)
    return tmp_path / "home"


@pytest.fixture
def check(home: Path, invoke, monkeypatch, tmp_path: Path):
    monkeypatch.setenv("GRADER_HOME", str(home))

    def run(code: str):
        file = tmp_path / "add.py"
        file.write_text(code)
        return invoke("check", "sums", file)

    return run


def test_right_code_passes(check):
    result = check("def add(a, b):\n    return a + b\n")
    assert result.exit_code == 0
    assert ":) A number added to itself doubles. [1] - passed" in result.output
    assert ":) zero changes nothing - passed" in result.output
    assert "3 of 3 public tests passed." in result.output


def test_a_module_of_ones_own_is_there_for_the_public_tests(home, invoke, monkeypatch, tmp_path):
    monkeypatch.setenv("GRADER_HOME", str(home))
    (tmp_path / "hw" / "sums").mkdir(parents=True)
    (tmp_path / "hw" / "sums" / "add.py").write_text("from .own import add\n")
    (tmp_path / "hw" / "sums" / "own.py").write_text("def add(a, b):\n    return a + b\n")
    result = invoke("check", "sums", tmp_path / "hw")
    assert "Checking sums/add.py, sums/own.py" in result.output
    assert "3 of 3 public tests passed." in result.output


def test_a_file_that_reads_the_command_line_finds_none_of_ours(check):
    parsed = "import argparse\nargparse.ArgumentParser().parse_args()\n"
    assert check(f"{parsed}def add(a, b):\n    return a + b\n").exit_code == 0


def test_wrong_code_is_told_in_full(check):
    result = check("def add(a, b):\n    return a - b\n")
    assert result.exit_code == 1
    assert ":( A number added to itself doubles. [1] - failed" in result.output
    assert "assert 0 == (2 * 1)" in result.output
    assert "1 of 3 public tests passed." in result.output


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param("def add(a, b):\n    raise KeyError('k')\n", "KeyError", id="raises"),
        pytest.param("1 / 0\n", "ZeroDivisionError", id="cannot be imported"),
        pytest.param("import os\ndef add(a, b):\n    os._exit(0)\n", "ended itself", id="exits"),
    ],
)
def test_code_that_breaks_is_no_pass(check, code: str, told: str):
    result = check(code)
    assert result.exit_code == 1
    assert told in result.output


def test_files_that_cannot_be_graded_are_refused_with_reasons(check):
    result = check("")
    assert result.exit_code == 1
    assert "  - " in result.output


@pytest.fixture
def out_of_time(monkeypatch: pytest.MonkeyPatch):
    """Let the tests' process end as it will, and then count as too slow."""
    real = subprocess.run

    def run(command, *, timeout, **options):
        real(command, **options)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr("grader.public_tests.running.subprocess.run", run)


@pytest.mark.parametrize(
    ("code", "stopped"),
    [
        pytest.param(
            "import os\ndef add(a, b):\n    os._exit(0)\n",
            "A number added to itself doubles. [1]",
            id="in a test",
        ),
        pytest.param("import os\nos._exit(0)\n", "The tests could be started", id="at import"),
    ],
)
def test_code_that_never_ends_is_stopped_and_named(check, out_of_time, code: str, stopped: str):
    result = check(code)
    assert result.exit_code == 1
    assert f":( {stopped} - timeout" in result.output
    assert "a loop that never ends" in result.output


def test_the_students_tests_and_settings_are_not_used(home: Path, tmp_path: Path):
    lab: Lab = Catalogue(home).get("sums")
    folder = tmp_path / "mine"
    (folder / "sums").mkdir(parents=True)
    (folder / "sums" / "add.py").write_text("def add(a, b):\n    return a + b\n")
    (folder / "conftest.py").write_text("raise SystemExit(0)\n")
    results = run_public_tests(lab, receive(folder, lab.assignment))
    assert all(result.outcome is Outcome.PASSED for result in results)
