"""Whether files that are to be written from scratch are: shown to staff, never scored.

`source` reads the submission, `watch` asks the processes that run it, and `run` checks what they
claim; `lab_check` asks the same of the lab itself.
"""

from grader.from_scratch.files import FromScratchFile, from_scratch_files
from grader.from_scratch.run import findings_in_run, first_of_each
from grader.from_scratch.source import findings_in_file, findings_in_source
from grader.from_scratch.watch import FromScratchWatch

__all__ = [
    "FromScratchFile",
    "FromScratchWatch",
    "findings_in_file",
    "findings_in_run",
    "findings_in_source",
    "first_of_each",
    "from_scratch_files",
]
