"""Make a process cheap to fork: a fork copies every page that it, or its parent, then writes to.

Two things are done to the memory, and neither changes what a program computes:

    holes    what was freed left holes all over the heap, and whatever a fork allocates goes into
             these first, a page copied for each. Filled for good, they send it to fresh pages,
             side by side: a test's fork copies a fifth fewer pages.
    pages    small pages are gathered into huge ones, so that a fork copies fewer entries of the
             page table: about 9,000 instead of 54,000 after importing torch, which makes the fork
             itself three times cheaper.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable

_SMALLEST, _ALIGNMENT, _LARGEST_OBJECT = 16, 16, 512  # bytes, of Python's own allocator
_POOL, _POOL_HEADER = 16_384, 48  # of Python's own allocator: a pool holds objects of one size
_BYTES_HEADER = 33
_CHUNKS = (*(2**power for power in range(16, 10, -1)), *range(1032, 23, -16))  # of malloc
_MOST = 1 << 12  # fillers of one size; a few hundred are usual
_MADV_COLLAPSE = 25
_HUGE_PAGE = 2 * 2**20

_libc = ctypes.CDLL(None)
_filling: list[object] = []


def prepare_for_forks() -> None:
    """Arrange this process's memory for many forks; called once everything is imported."""
    gc.collect()
    _fill_pools()
    _fill_heap()
    gc.freeze()  # a collection in a fork would touch, and so copy, every page
    _gather()


def _fill_pools() -> None:
    """Take what is free in the pools of Python's allocator, for objects of every size."""
    if sys.implementation.name != "cpython":
        return
    for size in range(_SMALLEST, _LARGEST_OBJECT + 1, _ALIGNMENT):
        _filling.extend(_fillers(_maker(size), (_POOL - _POOL_HEADER) // size))


def _fillers(make: Callable[[], object], capacity: int) -> list[object]:
    """Make objects until they fill a pool alone: that one was empty, so no other has a hole."""
    made: dict[int, list[object]] = {}
    for _ in range(_MOST):
        filler = make()
        pool = id(filler) // _POOL
        made.setdefault(pool, []).append(filler)
        if len(made[pool]) == capacity:
            del made[pool]
            break
    return [filler for fillers in made.values() for filler in fillers]


def _maker(size: int) -> Callable[[], object]:
    """Return what makes an object of just this size, in steps of `_ALIGNMENT`."""
    if size == _SMALLEST:
        return object
    if size < _BYTES_HEADER:
        return lambda: float(size)
    return lambda: bytes(size - _BYTES_HEADER)


class _Mallinfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd",
        "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]  # fmt: skip


def _fill_heap() -> None:
    """Take what is free in the C library's heap below its top, from large chunks to small."""
    if not hasattr(_libc, "mallinfo2"):
        return
    _libc.mallinfo2.restype = _Mallinfo
    _libc.malloc.restype = _libc.sbrk.restype = ctypes.c_void_p
    _libc.malloc.argtypes = [ctypes.c_size_t]
    _libc.sbrk.argtypes = [ctypes.c_ssize_t]
    _libc.free.argtypes = [ctypes.c_void_p]
    info = _libc.mallinfo2()
    top = (_libc.sbrk(0) or 0) - info.keepcost
    bottom = top - info.arena
    for size in _CHUNKS:
        for _ in range(_MOST):
            chunk = _libc.malloc(size) or 0
            if not bottom <= chunk < top:
                _libc.free(chunk)
                break


def _gather() -> None:
    """Move this process's memory into huge pages, where the kernel can; a refusal costs nothing."""
    if not hasattr(_libc, "madvise") or not os.path.exists("/proc/self/maps"):
        return
    _libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    with open("/proc/self/maps", encoding="utf-8") as file:
        lines = file.read().splitlines()
    for line in lines:
        where, mode, *rest = line.split(maxsplit=5)
        name = rest[3].strip() if len(rest) > 3 else ""
        if "w" in mode and "p" in mode and name in ("", "[heap]"):
            start, end = (int(address, 16) for address in where.split("-"))
            first = -(-start // _HUGE_PAGE) * _HUGE_PAGE
            for address in range(first, end - _HUGE_PAGE + 1, _HUGE_PAGE):
                _libc.madvise(address, _HUGE_PAGE, _MADV_COLLAPSE)
