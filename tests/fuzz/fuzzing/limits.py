"""What every execution is held to, and the one exception that says it was not."""

from __future__ import annotations

import os
import signal
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


class Finding(AssertionError):
    """The code under test did what it must never do. Its text names the broken promise."""


class Spent(BaseException):
    """CPU time ran out. Not an Exception, so that no handler of the code under test takes it."""


def expect(holds: object, promise: str) -> None:
    """Raise Finding with the promise that does not hold."""
    if not holds:
        raise Finding(promise)


@contextmanager
def cpu_at_most(seconds: float) -> Iterator[None]:
    """Raise Finding if the block takes more than so many CPU seconds of this process.

    A call into C is interrupted only when it comes back to the interpreter.
    """
    before = signal.signal(signal.SIGPROF, _spent)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    except Spent:
        raise Finding(f"takes at most {seconds:g} CPU seconds") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _spent(number: int, frame: object) -> None:
    raise Spent


@contextmanager
def memory_at_most(size: int, *, where: bool = True) -> Iterator[None]:
    """Raise Finding if the block holds more than `size` bytes at once; `where` turns it on."""
    if not where:
        yield
        return
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    expect(peak <= size, "allocates no more than what arrived allows")


@contextmanager
def only(*allowed: type[BaseException]) -> Iterator[None]:
    """Turn every exception but those allowed into a Finding that names where it came from."""
    try:
        yield
    except (*allowed, Finding, Spent, KeyboardInterrupt):
        raise
    except BaseException as error:
        names = ", ".join(kind.__name__ for kind in allowed) or "nothing"
        promise = f"raises {names}, not {type(error).__name__} in {_origin(error)}"
        raise Finding(promise) from error


def _origin(error: BaseException) -> str:
    """Return file and function, without a line, of the last of our own frames."""
    found = "?"
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if f"{os.sep}grader{os.sep}" in code.co_filename:
            found = f"{os.path.basename(code.co_filename)}:{code.co_name}"
        trace = trace.tb_next
    return found
