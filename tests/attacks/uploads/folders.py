"""Folders on disk that try to make intake read what is not in them."""

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from upload_craft import GOOD


@dataclass(frozen=True)
class Folder:
    """One hostile folder. `make` fills it; `swap` changes it after it was listed."""

    name: str
    tries: str
    make: Callable[[Path, Path], object]
    says: str
    taken: bool = False
    swap: Callable[[Path, Path], object] | None = None


def honest(folder: Path) -> None:
    """Write the honest files."""
    for name, data in GOOD:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)


def _socket(folder, _host):
    with socket.socket(socket.AF_UNIX) as made:
        # Bound by a relative name: an address has room for some hundred characters only.
        here = os.open(".", os.O_RDONLY)
        os.chdir(folder)
        try:
            made.bind("answers.csv")
        finally:
            os.fchdir(here)
            os.close(here)


def _flood(folder, _host):
    for number in range(2001):
        (folder / f"{number}.txt").touch()


def _swap_file(folder, host):
    (folder / "tiny" / "maths.py").unlink()
    (folder / "tiny" / "maths.py").symlink_to(host / "secret.txt")


def _swap_pipe(folder, _host):
    (folder / "tiny" / "maths.py").unlink()
    os.mkfifo(folder / "tiny" / "maths.py")


def _swap_folder(folder, host):
    (folder / "tiny").rename(folder / "away")
    (folder / "tiny").symlink_to(host)


def _nothing(_folder, _host):
    pass


FOLDERS = (
    Folder(
        "folder-symlink",
        "holds a link to a secret of the host",
        lambda folder, host: (folder / "answers.csv").symlink_to(host / "secret.txt"),
        "is a link and was passed over; hand in the file itself",
        taken=True,
    ),
    Folder(
        "folder-linked-folder",
        "holds a link to a folder of the host",
        lambda folder, host: (folder / "data").symlink_to(host),
        "is a link and was passed over",
        taken=True,
    ),
    Folder(
        "folder-link-to-itself",
        "holds a link to itself, without end",
        lambda folder, _: (folder / "more").symlink_to(folder),
        "is a link and was passed over",
        taken=True,
    ),
    Folder(
        "folder-pipe",
        "holds a pipe that would block a reader",
        lambda folder, _: os.mkfifo(folder / "answers.csv"),
        "is a device, pipe or socket and was passed over",
        taken=True,
    ),
    Folder(
        "folder-socket",
        "holds a socket",
        _socket,
        "is a device, pipe or socket and was passed over",
        taken=True,
    ),
    Folder("folder-flood", "holds 2,001 more files", _flood, "Hand in only the lab's own files"),
    Folder(
        "folder-swapped-file",
        "turns a listed file into a link before it is read",
        _nothing,
        "cannot be read",
        swap=_swap_file,
    ),
    Folder(
        "folder-swapped-pipe",
        "turns a listed file into a pipe before it is read",
        _nothing,
        "hand in the file",
        swap=_swap_pipe,
    ),
    Folder(
        "folder-swapped-folder",
        "turns a listed folder into a link before its files are read",
        _nothing,
        "cannot be read",
        swap=_swap_folder,
    ),
)
