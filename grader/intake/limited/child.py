"""The far side: a bare interpreter that runs one script, or forks a child for each script.

Started by path, without `grader`: standard library alone. A request is a line of JSON, then the
data; it is answered on standard output: `BEGUN`, then what the script printed, then `END` if it
ended well.

    python child.py      reads one request from standard input
    python child.py FD   takes a socket from each message on FD; a fork of itself answers there
"""

import json
import os
import signal
import socket
import sys

try:
    import resource
except ImportError:  # Windows has no such limits; the clock of the caller still holds
    resource = None  # type: ignore[assignment]

BEGUN = b"begun\0"
END = b"\0ended well"
_FIRST_FD, _LAST_FD = 3, 1024


def answer() -> None:
    """Run the script that standard input brings; it reads the data from the rest of that."""
    sys.stdout.buffer.write(BEGUN)
    sys.stdout.flush()
    request = json.loads(sys.stdin.buffer.readline())
    _limit(request["cpu_seconds"], request["memory_bytes"], request["wall_seconds"])
    exec(request["script"], {"__name__": "__main__"})  # noqa: S102 - ours, not a student's
    sys.stdout.flush()
    sys.stdout.buffer.write(END)
    sys.stdout.flush()


def _limit(cpu_seconds: int, memory_bytes: int, wall_seconds: int) -> None:
    if resource is None:
        return
    limits = {
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_AS: memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 32,
    }
    for kind, value in limits.items():
        resource.setrlimit(kind, (value, value))
    signal.alarm(wall_seconds)


def serve(control: socket.socket) -> None:
    """Fork a child for each socket that comes, until nobody is left to send one."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps: a handler can come too late
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            _answer_on(fds[0])
        os.close(fds[0])


def _answer_on(connection: int) -> None:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for fd in (0, 1):
            os.dup2(connection, fd)
        os.closerange(_FIRST_FD, _LAST_FD)
        answer()
    finally:
        os._exit(0)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(socket.socket(fileno=int(sys.argv[1])))
    else:
        answer()
