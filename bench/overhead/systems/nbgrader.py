"""nbgrader: one course, one assignment, `nbgrader autograde` on all students."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat

from overhead.peers import forms
from overhead.students import SOLUTION, Student
from overhead.systems.base import INSIDE, Batch, Outcome, System, Verdict

ASSIGNMENT = "smallnet"
CONFIG = 'c = get_config()\nc.CourseDirectory.course_id = "course"\n'


class Nbgrader(System):
    """`nbgrader autograde` on the whole assignment."""

    name = "nbgrader"
    title = "nbgrader"
    venv = "nbgrader"
    how = (
        "`nbgrader generate_assignment`, then `nbgrader autograde` once on all students with its "
        "defaults (30 s a cell); hidden tests in autograder cells; its manual says that it does "
        "not grade in parallel, so one student at a time; scores from `nbgrader export`; by its "
        "rules a test cell that writes to standard error earns nothing"
    )
    at_once = 1

    def prepare(self) -> None:
        """Make the environment and a course with the assignment in it."""
        self.venvs.make("nbgrader", "nbgrader", "ipykernel", "numpy")
        course = self.work / "course"
        shutil.rmtree(course, ignore_errors=True)
        source = course / "source" / ASSIGNMENT
        source.mkdir(parents=True)
        (course / "nbgrader_config.py").write_text(CONFIG)
        solution = SOLUTION.read_text(encoding="utf-8")
        nbformat.write(forms.nbgrader_notebook(solution), source / f"{ASSIGNMENT}.ipynb")
        self._nbgrader(course, "generate_assignment", ASSIGNMENT)

    def _nbgrader(self, course: Path, *arguments: str) -> None:
        home = self.work / "home"
        home.mkdir(exist_ok=True)
        subprocess.run(
            [self._program, *arguments],
            cwd=course,
            env={**os.environ, "HOME": str(home), "PATH": self.path()},
            check=True,
            capture_output=True,
        )

    @property
    def _program(self) -> str:
        return str(self.venvs.program("nbgrader", "nbgrader"))

    def versions(self) -> dict[str, str]:
        """Return nbgrader's version."""
        return self.venvs.versions("nbgrader", "nbgrader", "ipykernel", "torch", "numpy")

    def stage(self, batch: Batch) -> list[str]:
        """Copy the course and hand every notebook in."""
        course = batch.folder / "course"
        shutil.copytree(self.work / "course", course)
        for student in batch.students:
            self._hand_in(course, student)
        lines = str(batch.folder / "lines.txt")
        command = [self._program, "autograde", ASSIGNMENT, f"--course-dir={course}"]
        return [sys.executable, str(INSIDE / "stamp.py"), lines, *command]

    @staticmethod
    def _hand_in(course: Path, student: Student) -> None:
        released = course / "release" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
        notebook = nbformat.read(released, as_version=4)
        notebook.cells[0].source = student.source
        folder = course / "submitted" / student.name / ASSIGNMENT
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / released.name)

    def collect(self, batch: Batch) -> dict[str, Outcome]:
        """Export the scores and read them."""
        course = batch.folder / "course"
        self._nbgrader(course, "export", "--to=grades.csv")
        with (course / "grades.csv").open(newline="") as file:
            rows = {row["student_id"]: row for row in csv.DictReader(file)}
        return {s.name: self._outcome(course, s.name, rows.get(s.name)) for s in batch.students}

    @staticmethod
    def _outcome(course: Path, name: str, row: dict[str, str] | None) -> Outcome:
        if row is None or not (course / "autograded" / name / ASSIGNMENT).exists():
            return Outcome(Verdict.NONE, "no graded notebook")
        full = float(row["score"] or 0) == float(row["max_score"])
        return Outcome(Verdict.PASSED if full else Verdict.FAILED, f"score {row['score']}")

    def done_at(self, batch: Batch) -> list[float]:
        """Return when each student's notebook was finished, from the lines of its log."""
        lines = (batch.folder / "lines.txt").read_text(errors="replace").splitlines()
        return done_times(lines)


def done_times(lines: list[str]) -> list[float]:
    """Return when one student gave way to the next, from stamped lines; the last is the end."""
    stamped = [line for line in lines if line.split(" ", 1)[0].replace(".", "").isdigit()]
    begins = [
        float(line.split()[0]) for line in stamped if "Creating/updating student with ID" in line
    ]
    return [*begins[1:], float(stamped[-1].split()[0])] if begins else []
