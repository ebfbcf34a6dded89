"""How a call into student code can fail: no fault of ours, but for one that looks alike."""

from __future__ import annotations

import errno
from typing import Self

from grader.errors import SandboxError
from grader.report.diagnosis import Cause, Diagnosis, Kind, exception_word
from grader.report.report import Outcome
from grader.sandbox.host.clock import ClockReading

# What the kernel says when a process reaches a limit of its sandbox.
_LIMITS = {
    errno.EAGAIN: Cause.PROCESSES,
    errno.EMFILE: Cause.OPEN_FILES,
    errno.ENFILE: Cause.OPEN_FILES,
    errno.ENOSPC: Cause.DISK_FULL,
    errno.EDQUOT: Cause.DISK_FULL,
    errno.EFBIG: Cause.FILE_SIZE,
}


class StudentError(Exception):
    """A call into student code did not give a value; its text is for staff."""

    outcome = Outcome.ERROR
    cause: Cause | None = None

    def anew(self) -> Self:
        """Return it to be raised once more: its traceback would grow with each time."""
        return self.with_traceback(None)

    @property
    def diagnosis(self) -> Diagnosis | None:
        """What may be told of it; None if that is no more than the outcome."""
        return Diagnosis(cause=self.cause) if self.cause else None


class StudentRaised(StudentError):
    """Student code raised; the class names, innermost first, and the text are its own claims."""

    def __init__(self, types: list[str], message: str, traceback: str, number: int = 0) -> None:
        self.types = types
        self.type_name = types[0] if types else "Exception"
        self.message = message
        self.traceback = traceback
        super().__init__(f"{self.type_name}: {message}\n{traceback}")
        if "MemoryError" in types:
            self.outcome = Outcome.MEMORY
        if "NotImplementedError" in types:
            self.cause = Cause.NOT_WRITTEN
        elif "OSError" in types:
            self.cause = _LIMITS.get(number)
        elif message.startswith("can't start new thread"):
            self.cause = Cause.PROCESSES

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Its cause, or the built-in exception that it is: class and message may hold anything."""
        if self.cause is not None or self.outcome is not Outcome.ERROR:
            return super().diagnosis
        return Diagnosis(cause=Cause.RAISED, got=exception_word(self.types))


class StudentNotImported(StudentError):
    """A module could not be imported. Nothing hidden had reached it: its words may be shown."""

    cause = Cause.NOT_IMPORTED


class StudentTimeout(StudentError):
    """Student code used more CPU or wall time than it may."""

    outcome = Outcome.TIMEOUT

    def __init__(
        self, message: str, cause: Cause | None = None, allowance: float | None = None
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.allowance = allowance  # CPU seconds, if these were what ended it


def waited_too_long(since: ClockReading, message: str) -> StudentTimeout | SandboxError:
    """Return the error of code whose wall time is up.

    It waited without computing, unless the machine hardly gave it a turn: that is a fault of ours.
    """
    if since.starved_since():
        return SandboxError(
            "the machine is too busy to grade: the submission stood in line for a core most of the "
            "time; grade fewer at once"
        )
    return StudentTimeout(message, Cause.WAITED)


class StudentMemory(StudentError):
    """Student code used more memory than it may."""

    outcome = Outcome.MEMORY


class StudentCrashed(StudentError):
    """The process ended itself, was killed, or broke the protocol."""

    outcome = Outcome.CRASHED


class StudentValue(StudentError):
    """Student code returned an object where a plain value was expected."""

    outcome = Outcome.FAILED

    @property
    def diagnosis(self) -> Diagnosis | None:
        """The kinds of value."""
        return Diagnosis(cause=Cause.KIND, expected=Kind.PLAIN, got=Kind.OBJECT)


class StudentReturnedTooMuch(StudentError):
    """Student code returned more bytes than all its answers in a test may have."""

    outcome = Outcome.FAILED
    cause = Cause.TOO_MUCH_TO_JUDGE
