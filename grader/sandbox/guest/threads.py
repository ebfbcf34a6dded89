"""One core, one thread: what student code asks torch for is remembered, and no more than that.

``OMP_THREAD_LIMIT`` alone keeps threads from starting, but torch and its libraries then still cut
their work into as many pieces as were asked for: on one thread, convolutions that were cut for
eight take 25 times as long.
"""

from __future__ import annotations

from types import ModuleType


def hold_to_one_thread(torch: ModuleType) -> None:
    """Let torch compute with one thread from now on, whatever number it is told."""
    torch.set_num_threads(1)  # a fork of a process that ran two threads hangs at two threads
    told = 1

    def set_num_threads(number: int) -> None:
        nonlocal told
        if isinstance(number, bool) or not isinstance(number, int):
            raise RuntimeError(f"set_num_threads expects an int, but got {type(number).__name__}")
        if number < 1:
            raise RuntimeError("set_num_threads expects a positive integer")
        told = number

    def get_num_threads() -> int:
        return told

    torch.set_num_threads = set_num_threads  # type: ignore[attr-defined]
    torch.get_num_threads = get_num_threads  # type: ignore[attr-defined]
