#!/usr/bin/env python3
"""Stand in for a test worker's Python: run it, and wait for what it orphans.

A sandbox is killed with its parent, so nobody below the worker waits for its processes, and their
CPU time is lost to whoever adds up children. Here they come to this process instead of the
machine's first one, and their time is added up in a file that `file_costs.py` reads.
"""

import ctypes
import os
import sys
from pathlib import Path

FOLDER = "PROCTOR_FILE_COSTS"
_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the interpreter with our arguments; return its exit status."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worker = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
    book = Path(os.environ[FOLDER]) / f"orphans-{os.getpid()}"
    orphaned = 0.0
    while True:
        pid, status, used = os.wait4(-1, 0)
        if pid == worker:
            return os.waitstatus_to_exitcode(status)
        orphaned += used.ru_utime + used.ru_stime
        written = book.with_suffix(".new")
        written.write_text(f"{orphaned:.6f}")
        written.replace(book)


if __name__ == "__main__":
    sys.exit(main())
