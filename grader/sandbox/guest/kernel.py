"""The Linux calls that Python has no name for: namespaces, capabilities, filters, Landlock.

Every function raises OSError with the kernel's own words if the call is refused.
"""

from __future__ import annotations

import ctypes
import os
import struct
from contextlib import suppress

NEWNS, NEWPID, NEWUSER = 0x00020000, 0x20000000, 0x10000000
_ALL_NAMESPACES = NEWNS | NEWPID | NEWUSER | 0x02000000 | 0x04000000 | 0x08000000 | 0x40000000

_PDEATHSIG, _DUMPABLE, _SECCOMP, _CAPBSET_DROP = 1, 4, 22, 24
_CHILD_SUBREAPER, _NO_NEW_PRIVS, _CAP_AMBIENT = 36, 38, 47
_SECCOMP_FILTER, _AMBIENT_CLEAR_ALL = 2, 4
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_NS_GET_PARENT = 0xB702
_MS_NOSUID, _MS_NODEV, _MS_REMOUNT = 0x2, 0x4, 0x20
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, value: int = 0, name: str = "prctl") -> None:
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(option, ctypes.c_ulong(value), zero, zero, zero), name)


def die_with_parent(signal: int = 9) -> None:
    """Have the kernel send `signal` when the parent ends; a change of user id clears it."""
    _prctl(_PDEATHSIG, signal)


def hide_memory() -> None:
    """Close /proc/self/mem and ptrace to other processes of the same user."""
    _prctl(_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant that loses its own."""
    _prctl(_CHILD_SUBREAPER, 1)


def forgo_privileges() -> None:
    """Drop every capability for good, and with them what a setuid program could give."""
    for capability in range(_LAST_CAPABILITY + 1):
        with suppress(OSError):  # EINVAL above the last one this kernel knows
            _prctl(_CAPBSET_DROP, capability)
    _prctl(_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "capset")
    _prctl(_NO_NEW_PRIVS, 1)


def load_filter(program: bytes) -> None:
    """Put a BPF program in front of every system call of this process and its children."""
    buffer = ctypes.create_string_buffer(program, len(program))
    descriptor = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    _prctl_pointer(_SECCOMP, _SECCOMP_FILTER, descriptor)


def _prctl_pointer(option: int, value: int, pointer: bytes) -> None:
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(option, ctypes.c_ulong(value), pointer, zero, zero), "prctl")


def become(uid: int) -> None:
    """Turn root into a user without groups or capabilities."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def enter_mounts_as_owner(pidfd: int) -> int:
    """Enter a bubblewrap sandbox's mounts as their owner; return a descriptor of its users.

    Bubblewrap nests two user namespaces: the outer one owns the mounts, the inner one is where
    its command runs and where no further ones can be made.
    """
    pid = _pid_of(pidfd)
    inner = os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    outer = _check(_libc.ioctl(inner, _NS_GET_PARENT), "NS_GET_PARENT")
    mounts = os.open(f"/proc/{pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    _check(_libc.setns(outer, NEWUSER), "setns")
    _check(_libc.setns(mounts, NEWNS), "setns")
    os.close(outer)
    os.close(mounts)
    return inner


def enter_namespaces(pidfd: int) -> None:
    """Enter all namespaces of a process; the process namespace holds from the next fork on."""
    _check(_libc.setns(pidfd, _ALL_NAMESPACES), "setns")


def bear_children_in(namespace: int) -> None:
    """Have the next forks of this process born in a process namespace; needs root's powers."""
    _check(_libc.setns(namespace, NEWPID), "setns")


def _pid_of(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pid:"):
                return int(line.split()[1])
    raise OSError(f"descriptor {pidfd} is no process")


def private_mounts() -> None:
    """Give this process mounts of its own, which the host does not see."""
    _check(_libc.unshare(NEWNS), "unshare")
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE, None)


def mount_tmpfs(target: str) -> None:
    """Cover a folder with an empty one that everybody may pass through."""
    _mount("tmpfs", target, b"tmpfs", _MS_NOSUID | _MS_NODEV, b"mode=0755,size=1m")


def bind(source_fd: int, target: str) -> None:
    """Show what `source_fd` is open on at `target` as well."""
    _mount(f"/proc/self/fd/{source_fd}", target, None, _MS_BIND | _MS_REC, None)


def limit_tmpfs(target: str, size: int, files: int) -> None:
    """Set how many bytes and files a tmpfs may hold."""
    options = f"size={size},nr_inodes={files}".encode()
    _mount("tmpfs", target, b"tmpfs", _MS_REMOUNT | _MS_NOSUID | _MS_NODEV, options)


def _mount(source: str, target: str, kind: bytes | None, flags: int, data: bytes | None) -> None:
    result = _libc.mount(os.fsencode(source), os.fsencode(target), kind, flags, data)
    _check(result, f"mount {target}")
