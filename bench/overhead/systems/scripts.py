"""Peers that run a program for each submission: pytest, gradescope-utils, and the floor."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from overhead.peers import forms
from overhead.students import SOLUTION
from overhead.systems.base import (
    ADDRESS_SPACE,
    INSIDE,
    TIMEOUT,
    Batch,
    Outcome,
    System,
    Verdict,
    describe,
    end_codes,
)

PYTEST_OPTIONS = ["-q", "-p", "no:cacheprovider", "--junitxml=report.xml", "test_hidden.py"]


class Pytest(System):
    """Plain pytest, the way a careful teaching assistant would script it."""

    name = "pytest"
    title = "pytest in a subprocess"
    venv = "pytest"
    how = (
        "a script starts `pytest --junitxml` for each submission with a time limit of "
        f"{TIMEOUT} s and an address space limit of 4 GiB, two at a time; full marks if the XML "
        "names every test and no failure"
    )

    def prepare(self) -> None:
        """Make the environment."""
        self.venvs.make("pytest", "pytest", "numpy")

    def versions(self) -> dict[str, str]:
        """Return pytest's version."""
        return self.venvs.versions("pytest", "pytest", "torch", "numpy")

    def stage(self, batch: Batch) -> list[str]:
        """Put the tests beside each submission."""
        command = [str(self.venvs.python("pytest")), "-m", "pytest", *PYTEST_OPTIONS]
        return drive(batch, command, {"test_hidden.py": forms.pytest_module()})

    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Read the XML files."""
        codes = end_codes(batch)
        return {
            student.name: junit(batch.own(student) / "report.xml", describe(codes, student.name))
            for student in batch.students
        }


class Floor(Pytest):
    """The least that anyone could pay: no isolation, no start-up, pytest in a fork."""

    name = "floor"
    title = "warm fork, unprotected"
    warm = True
    how = (
        "one process that has imported torch, NumPy and pytest and has run the tests once forks "
        "for each submission, two at a time, and calls `pytest.main` in the fork; nothing is "
        "protected, so this is not a grader"
    )

    def stage(self, batch: Batch) -> list[str]:
        """Stage as for pytest, but for one program."""
        super().stage(batch)
        tasks = [
            {
                "name": student.name,
                "cwd": str(batch.own(student)),
                "timeout": TIMEOUT,
                "arguments": PYTEST_OPTIONS,
            }
            for student in batch.students
        ]
        warm = batch.folder / "warm"
        warm.mkdir()
        (warm / "functions.py").write_text(SOLUTION.read_text(encoding="utf-8"))
        (warm / "test_hidden.py").write_text(forms.pytest_module())
        plan = batch.plan(tasks, warm=str(warm))
        return [str(self.venvs.python("pytest")), str(INSIDE / "floor.py"), plan]


class GradescopeUtils(System):
    """The runner that Gradescope's own examples use, without Gradescope's containers."""

    name = "gradescope"
    title = "gradescope-utils"
    venv = "gradescope"
    how = (
        "the `run_tests.py` of its documentation (`JSONTestRunner` on unittest cases with "
        f"weights) started for each submission, two at a time, {TIMEOUT} s each, 4 GiB of address "
        "space; Gradescope itself starts a container each, which is not counted here"
    )

    def prepare(self) -> None:
        """Make the environment."""
        self.venvs.make("gradescope", "gradescope-utils", "numpy")

    def versions(self) -> dict[str, str]:
        """Return the runner's version."""
        return self.venvs.versions("gradescope", "gradescope-utils", "torch", "numpy")

    def stage(self, batch: Batch) -> list[str]:
        """Lay each submission out as Gradescope's harness does."""
        files = {
            "run_tests.py": forms.GRADESCOPE_RUNNER,
            "tests/test_functions.py": forms.unittest_module(),
        }
        return drive(batch, [str(self.venvs.python("gradescope")), "run_tests.py"], files)

    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Read the JSON files."""
        codes = end_codes(batch)
        return {
            student.name: results(
                batch.own(student) / "results.json", describe(codes, student.name)
            )
            for student in batch.students
        }


def drive(batch: Batch, command: list[str], files: dict[str, str]) -> list[str]:
    """Write the files beside every submission; return the command that runs them all."""
    tasks: list[dict[str, Any]] = []
    for student in batch.students:
        folder = batch.own(student)
        (folder / "functions.py").write_text(student.source)
        for name, text in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)
        tasks.append(task(student.name, folder, command))
    return [sys.executable, str(INSIDE / "drive.py"), batch.plan(tasks)]


def task(name: str, folder: Path, command: list[str]) -> dict[str, Any]:
    """Return one entry of the driver's plan."""
    return {
        "name": name,
        "argv": command,
        "cwd": str(folder),
        "timeout": TIMEOUT,
        "address_space": ADDRESS_SPACE,
    }


def junit(file: Path, ending: str) -> Outcome:
    """Judge a JUnit XML file: every test there, none failed."""
    try:
        cases = list(ElementTree.parse(file).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        return Outcome(Verdict.NONE, f"{ending or 'ended well'}, {type(error).__name__}")
    lost = [str(case.get("name")) for case in cases if len(case.findall("*")) > _outputs(case)]
    missing = {f"test_{name}" for name in forms.names()} - {case.get("name") for case in cases}
    if lost or missing:
        return Outcome(Verdict.FAILED, "; ".join([*lost, *(f"{name} missing" for name in missing)]))
    return Outcome(Verdict.PASSED)


def _outputs(case: ElementTree.Element) -> int:
    return len(case.findall("system-out")) + len(case.findall("system-err"))


def results(file: Path, ending: str) -> Outcome:
    """Judge a ``results.json``: the form that Gradescope reads and otter writes too."""
    try:
        tests = json.loads(file.read_text(encoding="utf-8", errors="replace"))["tests"]
    except (OSError, ValueError, KeyError) as error:
        return Outcome(Verdict.NONE, f"{ending or 'ended well'}, {type(error).__name__}")
    scored = [test for test in tests if test.get("max_score")]
    lost = [test["name"] for test in scored if test.get("score", 0) < test["max_score"]]
    if lost or len(scored) < len(forms.names()):
        return Outcome(Verdict.FAILED, "; ".join(lost) or f"{len(scored)} tests")
    return Outcome(Verdict.PASSED)
