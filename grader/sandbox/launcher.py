"""The few lines that run as root before bubblewrap does: join the cgroup, stage mounts, drop root.

bubblewrap must never start as uid 0: started by root, even with every capability dropped, student
code could open hundreds of files under /proc/sys for writing. So this program, run as
``python -I -S launcher.py JSON``, becomes an ordinary user that nothing on the host belongs to.

The folders to mount may lie where that user cannot look (an interpreter under /root), so they are
first bound to a staging folder in a mount namespace of our own: nothing of it shows on the host,
and all of it is gone with the process. It imports only the standard library, and little of that.
"""

import ctypes
import json
import os
import sys

_CLONE_NEWNS = 0x00020000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 0x40000
_PR_SET_PDEATHSIG, _SIGKILL = 1, 9

STAGING = "/mnt"  # a folder every Linux has and every user may pass through

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _mount(source: str, target: str, kind: bytes | None, flags: int) -> None:
    result = _libc.mount(os.fsencode(source), os.fsencode(target), kind, flags, None)
    _check(result, f"mount {source}")


def stage(sources: list[str]) -> None:
    """Bind each source to ``STAGING/<index>`` in a private mount namespace."""
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    # Opened before staging is mounted: a source may lie below the folder that staging covers.
    opened = [os.open(source, os.O_PATH) for source in sources]
    _mount("tmpfs", STAGING, b"tmpfs", 0)
    os.chmod(STAGING, 0o755)  # noqa: S103 - the dropped user must pass through
    for index, fd in enumerate(opened):
        target = f"{STAGING}/{index}"
        if os.path.isdir(f"/proc/self/fd/{fd}"):
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
        _mount(f"/proc/self/fd/{fd}", target, None, _MS_BIND | _MS_REC)
        os.close(fd)


def main() -> None:
    """Confine this process as told, then become bubblewrap."""
    plan = json.loads(sys.argv[1])
    _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != plan["parent"]:
        sys.exit("the process that asked for this sandbox is gone")
    for entry in plan["cgroups"]:
        with open(entry, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    stage(plan["sources"])
    os.setgroups([])
    os.setresgid(plan["uid"], plan["uid"], plan["uid"])
    os.setresuid(plan["uid"], plan["uid"], plan["uid"])
    # The death signal is cleared by a change of user id.
    _check(_libc.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0), "prctl")
    os.execve(plan["argv"][0], plan["argv"], {})  # noqa: S606 - an absolute path of ours


if __name__ == "__main__":
    main()
