"""Shortcuts where an assignment asks for work from scratch: told to staff, never scored."""

from grader.from_scratch.declared import Declared, declared
from grader.from_scratch.run import first_of_each, run_findings
from grader.from_scratch.source import findings_in, source_findings

__all__ = [
    "Declared",
    "declared",
    "findings_in",
    "first_of_each",
    "run_findings",
    "source_findings",
]
