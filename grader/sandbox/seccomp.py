"""The system calls student code may not make, as a BPF program.

Denied calls return EPERM instead of killing the process: libraries probe for some of them at
import and go on without. libseccomp builds the program and adds the architecture check.
"""

from __future__ import annotations

import errno
import socket
import tempfile
from typing import Any

import pyseccomp

# Each of these has been a way out of a sandbox, or tells of what other processes do with the files
# that all of them may read, or keeps memory that outlives its process: what one test leaves there
# the next would find. POSIX shared memory is a file, and swept like one.
DENIED = tuple(
    """
    ptrace process_vm_readv process_vm_writev kcmp pidfd_getfd
    mount umount2 pivot_root chroot
    open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr
    unshare setns bpf perf_event_open userfaultfd
    keyctl add_key request_key
    io_uring_setup io_uring_enter io_uring_register
    init_module finit_module delete_module kexec_load kexec_file_load
    reboot swapon swapoff acct quotactl nfsservctl
    open_by_handle_at name_to_handle_at lookup_dcookie
    iopl ioperm settimeofday clock_settime clock_adjtime adjtimex
    personality syslog vhangup
    inotify_init inotify_init1 inotify_add_watch fanotify_init fanotify_mark
    preadv2 pwritev2 cachestat
    shmget shmat shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semctl
    mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
    """.split()
)
# Locks on a library file all sandboxes read would carry bits from one to another; in the scratch
# folder there is nobody to lock out, so they are granted without being taken.
_SET_LOCK, _GET_LOCK = (6, 7, 37, 38), (5, 36)  # F_SETLK and its kin
_LEASES = (1024, 1025, 1026)  # F_SETLEASE, F_GETLEASE, F_NOTIFY
_NAMESPACE_FLAGS = (
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)
# What namespaces hide on the better tiers.
_SHARED = tuple(
    """
    socket connect bind listen accept accept4 setpriority sched_setaffinity sched_setscheduler
    """.split()
)
_SIGNALS = tuple(
    "kill tkill tgkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal pidfd_open".split()
)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C


def program(*, deny_memfd: bool, alone: bool = False, deny_signals: bool = False) -> bytes:
    """Return the filter as raw BPF instructions.

    `deny_memfd` closes memfd_create, whose memory only a cgroup counts. `alone` is for a process
    in the host's namespaces: nothing that other processes share. `deny_signals` closes kill too,
    where nothing else keeps it from them.
    """
    deny = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    names = [*DENIED, "memfd_secret", *(["memfd_create"] if deny_memfd else [])]
    for name in (*names, *(_SHARED if alone else ()), *(_SIGNALS if deny_signals else ())):
        _add(rules, deny, name)
    for flag in _NAMESPACE_FLAGS:
        _add(rules, deny, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 passes its flags by pointer, out of a filter's sight: libc falls back to clone.
    _add(rules, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for call in ("socketpair",) if alone else ("socket", "socketpair"):
        _add(rules, deny, call, pyseccomp.Arg(0, pyseccomp.NE, int(socket.AF_UNIX)))
    for request in (_TIOCSTI, _TIOCLINUX):
        _add(rules, deny, "ioctl", _second(request))
    granted = pyseccomp.ERRNO(0)
    _add(rules, granted, "flock")
    for command in (*_SET_LOCK, *_GET_LOCK, *_LEASES):
        _add(rules, granted if command in _SET_LOCK else deny, "fcntl", _second(command))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _second(value: int) -> Any:
    """Match a call's second argument; the kernel looks at 32 bits, and so must the filter."""
    return pyseccomp.Arg(1, pyseccomp.MASKED_EQ, 0xFFFFFFFF, value)


def _add(rules: Any, action: Any, name: str, *args: Any) -> None:
    try:
        rules.add_rule(action, name, *args)
    except (OSError, ValueError):  # a call this architecture or libseccomp does not know
        if name in ("ptrace", "mount", "clone", "socket", "unshare"):
            raise
