"""Findings from the source, read in a limited child: nothing of the student's runs.

Advice for a person, not proof: a name can be hidden from any reader of source, and a mention
need not do the work. Lines count from the start of the file; a file from a notebook is one cell,
line by line, so a line's number is that in the cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from grader.from_scratch.files import from_scratch_files
from grader.intake.limited import run_limited
from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.lab.operators import SPELLINGS
from grader.report.report import FromScratchFinding
from grader.text import clean_line

MOST_FINDINGS = 50  # of one file
_LONGEST_SOURCE = 160
_NEWLINE = re.compile(r"\r\n|\r|\n")  # where Python's parser counts lines
NOT_READ = "(the file could not be read)"
_SCRIPT = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, {folder!r})
from reading.tracer import main
main()
"""


def findings_in_source(
    assignment: Assignment, submission: Submission
) -> tuple[FromScratchFinding, ...]:
    """Return what the submission's files mention of what they were to do without."""
    found: list[FromScratchFinding] = []
    forbidden = {file.path: file.forbidden for file in from_scratch_files(assignment)}
    asked = {file.path for file in assignment.files}
    # A module of the student's own may do the work of any of these files.
    every = sorted({name for names in forbidden.values() for name in names})
    for file in submission.files:
        is_own = file.path.endswith(".py") and file.path not in asked
        names = every if is_own else forbidden.get(file.path, ())
        if names:
            found += findings_in_file(file.path, file.content, names)
    return tuple(found)


def findings_in_file(path: str, content: bytes, names: Sequence[str]) -> list[FromScratchFinding]:
    """Return a file's mentions of `names`, canonical; none if it is not Python at all."""
    source = content.decode("utf-8-sig", "replace")
    found = []
    for line, name, sure in _traced(source, names)[:MOST_FINDINGS]:
        found.append(
            FromScratchFinding(
                path=path,
                line=line,
                source=source_line(source, line),
                name=clean_line(name, 120),
                how="source",
                sure=sure,
            )
        )
    return found


def source_line(source: str, line: int) -> str:
    """Return a line of a text, safe to show; empty if there is no such line."""
    lines = _NEWLINE.split(source)
    return clean_line(lines[line - 1], _LONGEST_SOURCE) if 0 < line <= len(lines) else ""


def _traced(source: str, names: Sequence[str]) -> list[tuple[int, str, str]]:
    script = _SCRIPT.format(folder=str(Path(__file__).parent))
    asked = {"source": source, "names": list(names), "spellings": SPELLINGS}
    answer = run_limited(script, json.dumps(asked).encode())
    found = json.loads(answer) if answer else None
    if found is None:  # a text that drives the reader to its limits may well mean to
        return [(0, NOT_READ, "unclear")]
    return [(line, name, sure) for line, name, sure in found]
