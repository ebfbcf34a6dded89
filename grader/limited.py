"""Small scripts of ours run on bytes of a student's, in a child with little memory and time.

For parsers that a hostile text can drive to a crash or a gigabyte: the child may die of it,
the caller learns that and goes on. Nothing of the student's is executed here; that is the
sandbox's work.
"""

from __future__ import annotations

import subprocess
import sys

_LIMITS = """
try:
    import resource
except ImportError:  # Windows has no such limits; the clock of the caller still holds
    pass
else:
    resource.setrlimit(resource.RLIMIT_CPU, ({cpu}, {cpu}))
    resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
"""

MEGABYTE = 1 << 20


def run_limited(
    script: str, data: bytes, *, cpu_seconds: int = 10, memory_mb: int = 1024
) -> bytes | None:
    """Feed `data` to `script` (standard library only) and return what it printed.

    Returns None if the script did not end well: it raised, crashed or went over its limits. It
    sees an empty environment and sets its own limits before it reads anything.
    """
    limits = _LIMITS.format(cpu=cpu_seconds, memory=memory_mb * MEGABYTE)
    # Isolated, without site: no path, hook or variable of anyone's decides what the child runs.
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-X", "utf8", "-c", limits + script]
    try:
        done = subprocess.run(  # noqa: S603 - the command is ours, the data goes to stdin
            command, input=data, capture_output=True, env={}, cwd="/", timeout=6 * cpu_seconds
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
