"""Findings from the run, claimed by the process that ran student code: so checked and bounded.

The watch lives where student code lives and can be switched off or lied to. Nothing of its answer
is passed on as text: a path must be a file of the manifest, a name one that file was to do
without, and the shown line is taken from our own copy of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grader.from_scratch.files import from_scratch_files
from grader.from_scratch.source import source_line
from grader.intake.submission import Submission
from grader.lab.manifest import Assignment
from grader.report.report import FromScratchFinding

MOST_CLAIMS = 200  # of one test
_HIGHEST_LINE = 1_000_000


def findings_in_run(
    assignment: Assignment, submission: Submission, claims: object, test: str
) -> tuple[FromScratchFinding, ...]:
    """Return what the watch of one test claims was used: ``[[module, line, name], ...]``."""
    files = {file.module: file for file in from_scratch_files(assignment)}
    found = []
    for module, line, name in _well_formed(claims):
        file = files.get(module)
        if file is None or name not in file.forbidden:
            continue
        content = submission.file(file.path) or b""
        source = source_line(content.decode("utf-8-sig", "replace"), line)
        found.append(
            FromScratchFinding(
                path=file.path,
                line=line if source else 0,
                source=source,
                name=name,
                how="run",
                sure="likely",
                test=test,
            )
        )
    return tuple(found)


def first_of_each(findings: Sequence[FromScratchFinding]) -> tuple[FromScratchFinding, ...]:
    """Return findings without those that a test before them has already shown."""
    kept: dict[tuple[str, int, str], FromScratchFinding] = {}
    for finding in findings:
        kept.setdefault((finding.path, finding.line, finding.name), finding)
    return tuple(kept.values())


def _well_formed(claims: object) -> Iterator[tuple[str, int, str]]:
    for claim in claims[:MOST_CLAIMS] if type(claims) is list else ():
        if type(claim) is not list or [type(value) for value in claim] != [str, int, str]:
            continue
        module, line, name = claim
        if 0 <= line <= _HIGHEST_LINE:
            yield module, line, name
