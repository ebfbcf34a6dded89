"""Landlock: a process gives up every file but those it names, without any privilege.

https://docs.kernel.org/userspace-api/landlock.html; the versions of its interface differ in what
they can deny, and everything this kernel can deny is denied.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from contextlib import suppress

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG, _PATH_BENEATH = 1, 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
_RIGHTS_BY_VERSION = {1: 13, 2: 14, 3: 15, 5: 16}  # how many kinds of access each one knows
_IOCTL_DEV = 1 << 15
_TCP = 0b11  # bind and connect, from version 4
_SCOPES = 0b11  # abstract sockets and signals, from version 6

READ = _EXECUTE | _READ_FILE | _READ_DIR
_FOR_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV

_libc = ctypes.CDLL(None, use_errno=True)


def version() -> int:
    """Return the version of Landlock this kernel offers; 0 if it has none."""
    found: int = _libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    return max(0, found)


def holds_signals() -> bool:
    """Whether signals to processes outside are refused too."""
    return version() >= 6


def isolate() -> None:
    """Give up no file, but all power over the processes outside; nothing without Landlock.

    Their memory is closed, and from version 6 signals do not reach them.
    """
    if version():
        restrict((), (), ("/",))


def restrict(
    readable: Iterable[str], writable: Iterable[str], anything: Iterable[str] = ()
) -> None:
    """Allow this process and its children these paths and what lies below, and nothing else.

    `writable` paths may be read and written, but nothing in them executed. Paths that do not
    exist are left out. Raises OSError if this kernel has no Landlock; needs `no_new_privs`.
    """
    known = version()
    rights = (1 << max(n for v, n in _RIGHTS_BY_VERSION.items() if v <= max(known, 1))) - 1
    attributes = struct.pack(
        "=QQQ", rights, _TCP if known >= 4 else 0, _SCOPES if known >= 6 else 0
    )
    size = 8 if known < 4 else 16 if known < 6 else 24
    ruleset = _call(_CREATE_RULESET, attributes[:size], ctypes.c_size_t(size), 0)
    for path in readable:
        _allow(ruleset, path, READ)
    for path in writable:
        _allow(ruleset, path, rights & ~_EXECUTE)
    for path in anything:
        _allow(ruleset, path, rights)
    _call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with suppress(FileNotFoundError):
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(path):
                rights &= _FOR_FILES
            _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", rights, fd), 0)
        finally:
            os.close(fd)


def _call(number: int, *args: object) -> int:
    result: int = _libc.syscall(number, *args)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock: {os.strerror(code)}")
    return result
