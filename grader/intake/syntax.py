"""Is a text Python? Asked of a limited child: a parser can be driven to a crash by its input."""

from __future__ import annotations

import json
from dataclasses import dataclass

from grader.intake.limited import run_limited
from grader.text import shown

_SCRIPT = """
import json, sys
found = None
try:
    compile(sys.stdin.buffer.read(), "file", "exec", dont_inherit=True)
except SyntaxError as error:
    found = [error.lineno or 0, type(error).__name__, str(error.msg)]
except ValueError as error:
    found = [0, "SyntaxError", str(error)]
except (RecursionError, MemoryError):
    found = [0, "SyntaxError", "the code is nested too deeply"]
json.dump(found, sys.stdout)
"""


@dataclass(frozen=True)
class SyntaxFault:
    """Why a text is not Python."""

    line: int  # 1-based; 0 if it concerns the whole text
    kind: str  # SyntaxError or a subclass of it
    message: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.message}"


def syntax_fault(source: bytes) -> SyntaxFault | None:
    """Compile, never run, a Python source; return its first fault, None if it has none."""
    answer = run_limited(_SCRIPT, source)
    if answer is None:
        return SyntaxFault(0, "SyntaxError", "Python could not read the file within its limits")
    fault = json.loads(answer)
    if fault is None:
        return None
    line, kind, message = fault
    return SyntaxFault(line, kind, shown(message))
