"""How a call into student code can fail. None of these is a fault of ours."""

from __future__ import annotations


class StudentError(Exception):
    """A call into student code did not give a value.

    `reason` is a fixed sentence that is safe to show: it holds nothing the student's code or a
    hidden test has said.
    """

    outcome = "error"
    reason = "Your code raised an exception."

    def __init__(self, message: str, reason: str | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason


class StudentRaised(StudentError):
    """Student code raised; the class names, innermost first, and the text are its own claims."""

    def __init__(self, types: list[str], message: str, traceback: str) -> None:
        self.types = types
        self.type_name = types[0] if types else "Exception"
        self.message = message
        self.traceback = traceback
        super().__init__(f"{self.type_name}: {message}\n{traceback}", self._reason(types))
        if "MemoryError" in types:
            self.outcome = "memory"

    @staticmethod
    def _reason(types: list[str]) -> str:
        if "MemoryError" in types:
            return StudentMemory.reason
        if "NotImplementedError" in types:
            return "This part is not written yet: your code raised NotImplementedError."
        return StudentError.reason


class StudentNotImported(StudentError):
    """A module could not be imported. Nothing hidden had reached it: its words may be shown."""

    reason = "Your file could not be imported."


class StudentTimeout(StudentError):
    """A test used more CPU or wall time than it may."""

    outcome = "timeout"
    reason = "Your code took more time than this test allows. Look for a loop that never ends."


class StudentMemory(StudentError):
    """Student code used more memory than it may."""

    outcome = "memory"
    reason = "Your code used more memory than the submission may use."


class StudentCrashed(StudentError):
    """The process ended itself, was killed, or broke the protocol."""

    outcome = "crashed"
    reason = (
        "Your code ended the Python process (for example by sys.exit or os._exit) "
        "or crashed it before an answer came back."
    )


class StudentValue(StudentError):
    """Student code returned an object where a plain value was expected."""

    outcome = "failed"
    reason = "Your code returned a value of the wrong kind."
