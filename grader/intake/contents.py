"""What is said about the files that were taken: faults that reject, notices that do not."""

from __future__ import annotations

from collections.abc import Iterator

from grader.intake.skeleton import released, same_text, untouched
from grader.intake.syntax import syntax_fault
from grader.lab.manifest import Assignment
from grader.text import megabytes

LARGEST_SOURCE = 1_000_000  # bytes; nobody writes a longer file by hand


def faults_in(path: str, content: bytes) -> Iterator[str]:
    """Say why a file cannot be graded."""
    if not content.strip(b"\xef\xbb\xbf \t\r\n"):
        yield f"{path} is empty. Save your work in it and upload again."
    elif path.endswith(".py"):
        yield from python_faults(path, content)


def python_faults(path: str, content: bytes) -> list[str]:
    """Say why bytes cannot be a Python file, whatever they say."""
    found = []
    if len(content) > LARGEST_SOURCE:
        found.append(
            f"{path} has {megabytes(len(content))}; a Python file may have at most "
            f"{megabytes(LARGEST_SOURCE)}. Take data and weights out of it."
        )
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found.append(
            f"{path} line {line} is not UTF-8 text. Save the file with the encoding UTF-8."
        )
    return found


def notices_on(path: str, content: bytes, assignment: Assignment) -> Iterator[str]:
    """Say what a student should know of a file that will be graded."""
    if untouched(assignment, path, content):
        yield f"{path} is still the skeleton: nothing in it was changed."
    if not path.endswith(".py"):
        return
    fault = syntax_fault(content)
    if fault:
        where = f"{path} line {fault.line}" if fault.line else path
        yield f"{where}: {fault}; tests that need this file will fail. Fix it and upload again."


def notice_on_given(path: str, content: bytes, assignment: Assignment) -> Iterator[str]:
    """Say that the student's copy of a file of ours was changed and will not count."""
    ours = released(assignment, path)
    if ours is None or not same_text(ours, content):
        yield f"Your copy of {path} is replaced by the course's before grading."
