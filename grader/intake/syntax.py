"""Is a text Python? Asked of a limited child: a parser can be driven to a crash by its input."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path

from grader.intake import compiling
from grader.intake.limited import run_limited
from grader.text import shown

_SCRIPT = Path(compiling.__file__).read_text(encoding="utf-8")


@dataclass(frozen=True)
class SyntaxFault:
    """Why a text is not Python."""

    line: int  # 1-based; 0 if it concerns the whole text
    kind: str  # SyntaxError or a subclass of it
    message: str
    since: str = ""  # the Python, such as 3.12, in which it is none

    def __str__(self) -> str:
        if not self.since:
            return f"{self.kind}: {self.message}"
        ours = ".".join(platform.python_version_tuple()[:2])
        return (
            f"{self.kind}: {self.message} needs Python {self.since}, and your work is graded with "
            f"Python {ours}. Write it in the older way"
        )


def syntax_fault(source: bytes) -> SyntaxFault | None:
    """Compile, never run, a Python source; return its first fault, None if it has none."""
    answer = run_limited(_SCRIPT, source)
    if answer is None:
        return SyntaxFault(0, "SyntaxError", "Python could not read the file within its limits")
    fault = json.loads(answer)
    if fault is None:
        return None
    line, kind, message, *since = fault
    return SyntaxFault(line, kind, shown(message), *since)
