"""The fixed sentence a student reads about an outcome, for hidden tests as well.

The sentences hold nothing that student code could have chosen: the only thing that varies is a
limit from the manifest. `is_fixed` lets the redaction refuse any other sentence.
"""

from __future__ import annotations

import re
from enum import StrEnum

from grader.report.report import Outcome


class Cause(StrEnum):
    """What stands behind an outcome, where more is known than the outcome itself."""

    NOT_WRITTEN = "not_written"
    NOT_IMPORTED = "not_imported"
    WAITED = "waited"
    RUN_SPENT = "run_spent"
    PROCESSES = "processes"
    OPEN_FILES = "open_files"
    DISK_FULL = "disk_full"
    FILE_SIZE = "file_size"
    TOO_MUCH_TO_JUDGE = "too_much_to_judge"


_LIMIT = "{limit}"
_SENTENCES: dict[Outcome, str] = {
    Outcome.PASSED: "Passed.",
    Outcome.FAILED: (
        "Your code ran, but its answer is not right. Compare what it returns - value, shape and "
        "type - with the handout."
    ),
    Outcome.ERROR: (
        "Your code raised an exception instead of answering. Try it on your own machine with "
        "other shapes and values than those of the public tests."
    ),
    Outcome.TIMEOUT: (
        f"Your code took more CPU time than this test allows{_LIMIT}. Look for a loop that "
        "never ends, or one over single numbers that could be one array operation."
    ),
    Outcome.MEMORY: (
        f"Your code used more memory than a submission may{_LIMIT}. Look for an array that grows "
        "with every step, or one with an axis too many."
    ),
    Outcome.CRASHED: (
        "The process with your code ended before it answered. Remove calls that end it, such as "
        "exit() or os._exit(), and recursion without an end."
    ),
    Outcome.MISSING: "This test did not run, so it earns nothing.",
    Outcome.UNJUDGED: (
        "Our check could not deal with what your code returned, so its points are open. The staff "
        "see it and decide. Compare value, shape and type with the handout."
    ),
}
_PARTIAL = "Passed in part: close enough for some of the points."
_BLOCKED = (
    "This test did not run, because a test that it builds on did not pass. Mend that one first."
)
_CAUSES: dict[Cause, str] = {
    Cause.NOT_WRITTEN: "This part is not written yet: your code raised NotImplementedError.",
    Cause.NOT_IMPORTED: (
        "The file this test needs could not be imported. The message at the top of the report "
        "says why."
    ),
    Cause.WAITED: (
        "Your code waited without computing until its time was up. Look for input(), sleep() or "
        "a lock that nobody opens."
    ),
    Cause.RUN_SPENT: (
        "The tests before this one used up the CPU time of the whole submission. Make the slow "
        "ones faster."
    ),
    Cause.PROCESSES: (
        "Your code tried to run more processes or threads at once than a submission may. Look for "
        "workers that are started in a loop; num_workers=0 is enough for a DataLoader here."
    ),
    Cause.OPEN_FILES: (
        "Your code held more files open at once than a submission may. Close each one, best by "
        "opening it in a with statement."
    ),
    Cause.DISK_FULL: (
        "Your code filled the folder it may write to: too many bytes or too many files. Write "
        "less, or delete what is no longer needed."
    ),
    Cause.FILE_SIZE: (
        "Your code wrote a single file larger than a submission may. Keep what you need in memory."
    ),
    Cause.TOO_MUCH_TO_JUDGE: (
        "Checking what your code returned took more time or memory than a check may. Return what "
        "was asked for, in the size that was asked for."
    ),
}
_GIVEN_LIMIT = r"(?: \(\d+(?:\.\d+)? (?:s|MB)\))?"
_FIXED = re.compile(
    "|".join(
        re.escape(sentence).replace(re.escape(_LIMIT), _GIVEN_LIMIT)
        for sentence in (*_SENTENCES.values(), *_CAUSES.values(), _PARTIAL, _BLOCKED)
    )
)


def reason_for(
    outcome: Outcome,
    *,
    credit: float = 1.0,
    blocked: bool = False,
    cause: Cause | None = None,
    cpu_seconds: float | None = None,
    memory_mb: int | None = None,
) -> str:
    """Return the sentence for an outcome.

    `blocked` says that a needed test did not pass; a known `cause` says more than the outcome;
    `cpu_seconds` and `memory_mb` are the limits
    that held, not what was measured.
    """
    if outcome is Outcome.PASSED and credit < 1:
        return _PARTIAL
    if outcome is Outcome.MISSING and blocked:
        return _BLOCKED
    if cause is not None:
        return _CAUSES[cause]
    limit = ""
    if outcome is Outcome.TIMEOUT and cpu_seconds is not None:
        limit = f" ({round(cpu_seconds, 3):.10g} s)"
    if outcome is Outcome.MEMORY and memory_mb is not None:
        limit = f" ({memory_mb} MB)"
    return _SENTENCES[outcome].replace(_LIMIT, limit)


def is_fixed(sentence: str) -> bool:
    """Tell whether a sentence is one of `reason_for`'s."""
    return _FIXED.fullmatch(sentence) is not None
