"""What an attack must not touch on the host: files, sockets, mounts, groups, folders, keys."""

import hashlib
import os
import socket
import subprocess
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil

from grader.sandbox import cgroup

CANARY = "CANARY-7f3a"
FOREIGN = "proctor-another-run"  # looks like the folder of another submission
_PLACES = ("/dev/shm", "/tmp", "/var/tmp", "/dev/mqueue")
_IPC = ("/proc/sysvipc/shm", "/proc/sysvipc/msg", "/proc/sysvipc/sem")
_FIRST_UID = 1_000_000_000  # of the users that sandboxes run as


class Host:
    """A private temp folder and things in it that every local user may read, write and call."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.temp = Path(tempfile.mkdtemp(prefix="host-"))
        self._stack.callback(_remove, self.temp)
        self._private_temp()
        self.folder = self.temp / "canary"
        self._fill(self.folder)
        self._fill(self.temp / FOREIGN / "submission")
        self._doors = [self._listen(*door) for door in self._plan()]

    def _private_temp(self) -> None:
        """Let every temporary file of ours lie where only this host's gradings put theirs."""
        self.temp.chmod(0o755)
        before = os.environ.get("TMPDIR")
        self._stack.callback(_set_temp, before)
        self._stack.callback(os.environ.pop, "HOSTILE_CANARY", None)
        _set_temp(str(self.temp))
        os.environ["HOSTILE_CANARY"] = CANARY

    def _fill(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        for path in (folder, *folder.parents):
            if path.is_relative_to(self.temp) and path != self.temp:
                path.chmod(0o777)
        for name in ("secret.txt", "secret.py"):
            (folder / name).write_text(f"secret = {CANARY!r}\n")
            (folder / name).chmod(0o666)

    def _plan(self) -> list[tuple[int, int, object]]:
        stream, datagram = socket.SOCK_STREAM, socket.SOCK_DGRAM
        self.abstract = f"\0hostile-{os.getpid()}-{id(self)}"
        self.door = str(self.folder / "door")
        self.post = str(self.folder / "post")
        return [
            (socket.AF_INET, stream, ("127.0.0.1", 0)),
            (socket.AF_INET, datagram, ("127.0.0.1", 0)),
            (socket.AF_UNIX, stream, self.door),
            (socket.AF_UNIX, stream, self.abstract),
            (socket.AF_UNIX, datagram, self.post),
        ]

    def _listen(self, family: int, kind: int, address: object) -> socket.socket:
        door = self._stack.enter_context(socket.socket(family, kind))
        door.bind(address)
        door.setblocking(False)
        if kind == socket.SOCK_STREAM:
            door.listen()
        if isinstance(address, str) and not address.startswith("\0"):
            os.chmod(address, 0o777)
        return door

    def known(self) -> dict[str, object]:
        """Return what an attacker could know of this machine."""
        return {
            "canary": str(self.folder),
            "temp": str(self.temp),
            "tcp": self._doors[0].getsockname()[1],
            "udp": self._doors[1].getsockname()[1],
            "door": self.door,
            "post": self.post,
            "abstract": self.abstract,
            "pid": os.getpid(),
        }

    def callers(self) -> list[str]:
        """Return which of the doors were knocked at since the last look."""
        return [str(door.getsockname()) for door in self._doors if _knocked(door)]

    def state(self) -> dict[str, list[str]]:
        """Return everything that has to be the same after an attack as before."""
        return {
            "canaries": _digests(self.folder) + _digests(self.temp / FOREIGN),
            "mounts": Path("/proc/self/mountinfo").read_text().splitlines(),
            "kernel objects": [line for name in _IPC for line in _objects(name)],
            "left": sorted(_named("hostile", *_PLACES, self.temp)),
            "folders": sorted(set(_named("proctor-", self.temp)) - {FOREIGN}),
            "groups": _groups(),
        }

    def started(self, pid: int) -> bool:
        """Tell whether a process is our child, or has our temp folder in its environment."""
        with suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            return process.ppid() == os.getpid() or process.environ().get("TMPDIR") == str(
                self.temp
            )
        return False

    def named_by(self, pid: int) -> bool:
        """Tell whether a process was started on files below our temp folder, as sandboxes are."""
        with suppress(psutil.Error):
            return any(str(self.temp) in word for word in psutil.Process(pid).cmdline())
        return False

    def close(self) -> None:
        """Remove all of it."""
        self._stack.close()


def _remove(folder: Path) -> None:
    """Remove a folder however deep an attack has made it; Python's own way recurses."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def _set_temp(folder: str | None) -> None:
    os.environ.pop("TMPDIR", None)
    if folder:
        os.environ["TMPDIR"] = folder
    tempfile.tempdir = None


def _knocked(door: socket.socket) -> bool:
    with suppress(BlockingIOError):
        if door.type == socket.SOCK_DGRAM:
            return bool(door.recv(100))
        door.accept()[0].close()
        return True
    return False


def _digests(folder: Path) -> list[str]:
    return [
        f"{path} {hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ''}"
        for path in sorted(folder.rglob("*"))
    ]


def _objects(name: str) -> list[str]:
    """Return the System V objects that we or a sandbox's user own; programs of others have some."""
    if not Path(name).exists():
        return []
    head, *lines = (line.split() for line in Path(name).read_text().splitlines())
    owner = head.index("uid")
    mine = [e for e in lines if int(e[owner]) >= _FIRST_UID or int(e[owner]) == os.getuid()]
    return sorted(f"{name} {entries[0]} {entries[1]}" for entries in mine)


def _named(start: str, *folders: str | Path) -> list[str]:
    found = [name for folder in folders if os.path.isdir(folder) for name in os.listdir(folder)]
    return [name for name in found if name.startswith(start)]


def _groups() -> list[str]:
    """Return the control groups of this process's runs that still exist."""
    found = []
    for controller in ("memory", ""):
        base = cgroup.ROOT / controller / cgroup.PARENT
        found += [f.name for f in base.iterdir() if f.is_dir()] if base.is_dir() else []
    alive = {str(p.pid) for p in psutil.Process().children(recursive=True)}
    return sorted(name for name in found if name.partition("-")[0] in alive | {str(os.getpid())})
