"""Shortcuts where an assignment asks for work from scratch: told to staff, never scored."""

from grader.shortcuts.declared import Declared, declared
from grader.shortcuts.run import first_of_each, run_findings
from grader.shortcuts.source import findings_in, source_findings

__all__ = [
    "Declared",
    "declared",
    "findings_in",
    "first_of_each",
    "run_findings",
    "source_findings",
]
