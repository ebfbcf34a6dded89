"""Folders on disk by grammar: links, pipes, deep nests, and names that are not text."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from random import Random

from fuzzing import upload_grammar
from fuzzing.limits import cpu_at_most, expect, only
from fuzzing.uploads import CANARY, Intake, judge_accepted, judge_sentences

from grader.errors import Rejected
from grader.intake import receive

_RAW = [b"\xff\xfe.py", b"x\ny.py", b"\xe2\x80\xae.py", b" ", b"-rf", b"a" * 255, b"x\x1b[2J"]
_DEEPEST = 1500  # folders in each other; a path has at most 4096 bytes


def build(root: Path, outside: Path, rng: Random) -> Path:
    """Make a folder to hand in below `root`; its links lead to `outside` and to itself."""
    folder = root / "work"
    folder.mkdir()
    for name in ("toy/layers.py", "toy/model.py"):
        if rng.random() < 0.8:
            _put(folder / name, rng, outside)
    for _ in range(rng.randrange(6)):
        with suppress(OSError, ValueError):  # a name that no file can bear, or one that is taken
            _put(folder / upload_grammar.a_name(rng).lstrip("/").replace("..", "_"), rng, outside)
    if rng.random() < 0.5:
        raw = os.fsencode(folder) + b"/" + rng.choice(_RAW)
        with open(raw, "wb") as file:
            file.write(b"x = 1\n")
    if rng.random() < 0.1:
        _nest(folder, rng.choice([30, 300, _DEEPEST]))
    return folder


def _put(path: Path, rng: Random, outside: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() or path.is_symlink():
        return  # writing to a pipe would wait for a reader
    kind = rng.choice("ffffflLdps")
    if kind == "f":
        path.write_bytes(upload_grammar.a_content(path.name, rng))
    elif kind == "l":
        path.symlink_to(outside / "canary")
    elif kind == "L":
        path.symlink_to(rng.choice([outside, path.parent, Path("/dev/zero"), Path("/dev/tty")]))
    elif kind == "d":
        path.mkdir()
    elif kind == "p":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))


def _nest(folder: Path, levels: int) -> None:
    """Put folders into each other without ever naming the whole path, which may be too long."""
    here = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def remove(folder: Path) -> None:
    """Remove a folder that may be nested deeper than the standard library can follow."""
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def check(folder: Path, intake: Intake) -> str:
    """Hand in a folder and judge what comes of it. Raises Finding."""
    try:
        with cpu_at_most(10.0), only(Rejected):
            taken = receive(folder, intake.lab)
    except Rejected as rejected:
        judge_sentences(rejected.reasons, at_least=1)
        return "rejected"
    judge_accepted(taken, intake.lab)
    expect(all(CANARY not in file.content for file in taken.files), "no link is followed")
    intake.judge_surroundings()
    return "accepted"
