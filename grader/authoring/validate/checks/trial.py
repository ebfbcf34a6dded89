"""What the checks of a competition share: a trial's data, and what the starter makes of them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

from grader.authoring.draw import draw
from grader.authoring.release import plan_release
from grader.authoring.validate.checks.bench import seed_key
from grader.competition import read_predictions
from grader.competition.drawn import STUDENTS, DrawnSet, files_of
from grader.competition.metrics import Values
from grader.errors import AuthoringError
from grader.intake.submission import AcceptedFile, Submission
from grader.lab.catalogue import Lab

DATA = "data"  # where students put a term's data, beside the handout
_PATIENCE = 8  # wall seconds for each CPU second that a starter may take


class CompetitionBench:
    """A competition with a trial's data: drawn once, the starter run once."""

    def __init__(self, lab: Lab) -> None:
        """Draw nothing yet. AuthoringError if the lab is no competition."""
        rules = lab.assignment.competition
        if rules is None:
            raise AuthoringError([f"{lab.assignment.slug} is no competition"])
        self.lab, self.rules = lab, rules
        self._open = ExitStack()
        self.starter_seconds = 0.0  # of CPU

    @property
    def source(self) -> str:
        """The path of the source; AuthoringError if the manifest names none."""
        if self.rules.source is None:
            raise AuthoringError([f"{self.lab.assignment.slug}: state `source` in the manifest"])
        return self.rules.source

    @cached_property
    def term(self) -> DrawnSet:
        """The trial's first set."""
        return draw(self.lab, seed_key(0))

    @cached_property
    def fresh(self) -> DrawnSet:
        """A second set of the same secret."""
        return draw(self.lab, seed_key(0), 2)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The files of the first set."""
        return files_of(self.term, self.rules)

    @cached_property
    def starter_file(self) -> bytes:
        """What the starter writes in a folder that holds what students get, and nothing else.

        Raises AuthoringError with what it said if it fails.
        """
        folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="grader-try-")))
        slug = self.lab.assignment.slug
        given = plan_release(self.lab.public.parents[1], slug).files
        data = {
            path.replace(STUDENTS, DATA, 1): content
            for path, content in self.files.items()
            if path.startswith(STUDENTS)
        }
        for path, content in {**given, **data}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        self._run_starter(folder)
        try:
            return (folder / self.rules.file).read_bytes()
        except FileNotFoundError:
            raise AuthoringError([f"the starter wrote no {self.rules.file}"]) from None

    def _run_starter(self, folder: Path) -> None:
        module = self.source.removesuffix(".py").replace("/", ".")
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        try:
            done = subprocess.run(  # noqa: S603 - our interpreter and our own starter
                [sys.executable, "-B", "-m", module],
                cwd=folder,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                capture_output=True,
                text=True,
                timeout=_PATIENCE * self.lab.assignment.limits.cpu_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise AuthoringError([f"python -m {module} does not end"]) from None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.starter_seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        if done.returncode:
            raise AuthoringError([f"python -m {module} fails:\n{done.stderr[-2000:]}"])

    @cached_property
    def starter(self) -> Values:
        """The starter's predictions; AuthoringError or TableError if it has none."""
        return read_predictions(self.starter_file, self.rules, self.term.labels.ids)

    def submission(self, predictions: bytes) -> Submission:
        """Return a file of predictions with the starter's source, as a team hands them in."""
        source = (self.lab.public / self.source).read_bytes()
        files = (AcceptedFile(self.rules.file, predictions), AcceptedFile(self.source, source))
        return Submission("starter", files)

    def close(self) -> None:
        """Remove the folder in which the starter ran."""
        self._open.close()
