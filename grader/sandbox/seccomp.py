"""The system calls student code may not make, as a BPF program for bubblewrap.

Denied calls return EPERM instead of killing the process: libraries probe for some of them at
import and go on without. libseccomp builds the program and adds the architecture check.
"""

from __future__ import annotations

import errno
import os
import socket
import tempfile
from typing import Any

import pyseccomp

# Each of these has been a way out of a sandbox, or reaches beyond the submission's own processes.
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
    personality syslog vhangup fanotify_init
    """.split()
)
_NAMESPACE_FLAGS = (
    0x00020000,  # CLONE_NEWNS
    0x02000000,  # CLONE_NEWCGROUP
    0x04000000,  # CLONE_NEWUTS
    0x08000000,  # CLONE_NEWIPC
    0x10000000,  # CLONE_NEWUSER
    0x20000000,  # CLONE_NEWPID
    0x40000000,  # CLONE_NEWNET
)
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C


def program(*, deny_memfd: bool) -> bytes:
    """Return the filter as raw BPF instructions.

    `deny_memfd` closes memfd_create, whose memory only a cgroup counts.
    """
    deny = pyseccomp.ERRNO(errno.EPERM)
    rules = pyseccomp.SyscallFilter(defaction=pyseccomp.ALLOW)
    for name in DENIED + (("memfd_create", "memfd_secret") if deny_memfd else ("memfd_secret",)):
        _add(rules, deny, name)
    for flag in _NAMESPACE_FLAGS:
        _add(rules, deny, "clone", pyseccomp.Arg(0, pyseccomp.MASKED_EQ, flag, flag))
    # clone3 passes its flags by pointer, out of a filter's sight: libc falls back to clone.
    _add(rules, pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    for call in ("socket", "socketpair"):
        _add(rules, deny, call, pyseccomp.Arg(0, pyseccomp.NE, int(socket.AF_UNIX)))
    for request in (_TIOCSTI, _TIOCLINUX):
        low = 0xFFFFFFFF  # the kernel looks at 32 bits; a filter on 64 could be passed by
        _add(rules, deny, "ioctl", pyseccomp.Arg(1, pyseccomp.MASKED_EQ, low, request))
    with tempfile.TemporaryFile() as file:
        rules.export_bpf(file)
        file.seek(0)
        return file.read()


def _add(rules: Any, action: Any, name: str, *args: Any) -> None:
    try:
        rules.add_rule(action, name, *args)
    except (OSError, ValueError):  # a call this architecture or libseccomp does not know
        if name in ("ptrace", "mount", "clone", "socket", "unshare"):
            raise


def program_fd(*, deny_memfd: bool) -> int:
    """Return a file descriptor that reads the program, as ``bwrap --seccomp`` wants it."""
    fd = os.memfd_create("seccomp", 0)
    os.write(fd, program(deny_memfd=deny_memfd))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
