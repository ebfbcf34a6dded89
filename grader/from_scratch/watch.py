"""Asks the student's processes, test by test, what they used that they were to do without."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from grader.from_scratch.files import from_scratch_files
from grader.from_scratch.run import findings_in_run
from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.report.report import FromScratchFinding
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import StudentError

_LIBRARY = "torch"  # the watch is torch's own; names of other libraries are read in the source


class FromScratchWatch:
    """What one grading run uses that it was to do without. For staff: no verdict depends on it."""

    def __init__(self, assignment: Assignment, submission: Submission) -> None:
        self._assignment = assignment
        self._submission = submission
        self._files = {
            file.module: [name for name in file.forbidden if name.startswith(f"{_LIBRARY}.")]
            for file in from_scratch_files(assignment)
        }
        self._open: list[Channel] = []
        self._findings: list[FromScratchFinding] = []

    @contextmanager
    def over(
        self, channel: Channel, modules: Collection[str], without: Collection[str]
    ) -> Iterator[None]:
        """Have a process watched if it has modules that ask for it; costs nothing if not."""
        files = {name: names for name, names in self._files.items() if name in modules and names}
        if not files or _LIBRARY in without or not _asked(channel, "watch", files):
            yield
            return
        self._open.append(channel)
        try:
            yield
        finally:
            self._open.remove(channel)

    def collect(self, test: str) -> None:
        """Ask every open process what it used since the test before; silence is no finding."""
        for channel in self._open:
            answer = _asked(channel, "used")
            claims = answer[0] if answer else None
            self._findings += findings_in_run(self._assignment, self._submission, claims, test)

    def take_over(self, findings: Collection[FromScratchFinding]) -> None:
        """Add what tests used that an earlier process of this run watched."""
        self._findings += findings

    @property
    def findings(self) -> tuple[FromScratchFinding, ...]:
        """What each test used, in the order in which they ran."""
        return tuple(self._findings)


def _asked(channel: Channel, operation: str, *args: object) -> tuple[object] | None:
    """Return the answer in a tuple, None if there is none: a test that is over stays as it is."""
    try:
        return (channel.ask(operation, *args),)
    except StudentError:
        return None
