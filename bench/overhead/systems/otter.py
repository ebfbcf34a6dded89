"""Otter-Grader in its local mode without containers: `otter run`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat

from overhead.peers import forms
from overhead.systems.base import INSIDE, TIMEOUT, Batch, Outcome, System, describe, end_codes
from overhead.systems.scripts import results, task


class Otter(System):
    """`otter run` on each notebook."""

    name = "otter"
    title = "Otter-Grader"
    venv = "otter"
    how = (
        "`otter run` with the zip of `otter generate` on each notebook, two at a time, exception-"
        f"based hidden tests; it has no time limit of its own, so the script gives it {TIMEOUT} s "
        "and 4 GiB of address space; `otter grade`, which adds a container each, needs Docker"
    )

    def prepare(self) -> None:
        """Make the environment and the autograder's zip."""
        self.venvs.make("otter", "otter-grader", "ipykernel", "numpy")
        tests = self.work / "tests"
        tests.mkdir(parents=True, exist_ok=True)
        for name in forms.names():
            (tests / f"{name}.py").write_text(forms.otter_test(name))
        command = [self._otter, "generate", "-t", str(tests), "-o", str(self._zip)]
        subprocess.run([*command, "--no-config"], cwd=self.work, check=True, capture_output=True)

    @property
    def _otter(self) -> str:
        return str(self.venvs.program("otter", "otter"))

    @property
    def _zip(self) -> Path:
        return self.work / "autograder.zip"

    def versions(self) -> dict[str, str]:
        """Return otter's version."""
        return self.venvs.versions("otter", "otter-grader", "ipykernel", "torch", "numpy")

    def stage(self, batch: Batch) -> list[str]:
        """Write each submission as a notebook."""
        tasks = []
        for student in batch.students:
            folder = batch.own(student)
            nbformat.write(forms.otter_notebook(student.source), folder / "functions.ipynb")
            command = [self._otter, "run", "functions.ipynb", "-a", str(self._zip), "--no-logo"]
            tasks.append(task(student.name, folder, command))
        return [sys.executable, str(INSIDE / "drive.py"), batch.plan(tasks)]

    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Read the JSON files."""
        codes = end_codes(batch)
        return {
            student.name: results(
                batch.own(student) / "results.json", describe(codes, student.name)
            )
            for student in batch.students
        }
