"""The limited child of the intake, without a new interpreter for each text.

Intake compiles sources and slims notebooks in a child of its own (`grader.limited`), which costs
some 20 ms of CPU: a hundred thousand uploads would take hours. `Nursery` keeps one bare
interpreter and forks it for each request, under the same limits and with the same scripts, and
remembers its last answers. One answer in `COMPARED` is held against the real child's.
"""

from __future__ import annotations

import itertools
import struct
import subprocess
import sys
from collections import OrderedDict
from types import TracebackType
from typing import Any

import psutil
from fuzzing.limits import expect

from grader import limited

COMPARED = 500
_REMEMBERED = 2000
_LENGTHS = struct.Struct("!QQ")

_SERVER = r"""
import json, os, resource, struct, sys  # json and resource for the scripts: importing costs most
LENGTHS = struct.Struct("!QQ")
def read(size):
    data = bytearray()
    while len(data) < size:
        piece = os.read(0, min(size - len(data), 1 << 20))
        if not piece:
            os._exit(0)
        data += piece
    return bytes(data)
def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]
def child(script, data, out):
    given = os.memfd_create("data")
    with open(given, "wb", closefd=False) as file:
        file.write(data)
    os.lseek(given, 0, os.SEEK_SET)
    quiet = os.open(os.devnull, os.O_WRONLY)
    for source, target in ((given, 0), (out, 1), (quiet, 2)):
        os.dup2(source, target)
    code = 1
    try:
        exec(script, {"__name__": "__main__"})
        sys.stdout.flush()
        code = 0
    finally:
        os._exit(code)
compiled = {}
while True:
    sizes = LENGTHS.unpack(read(16))
    script, data = map(read, sizes)
    if script not in compiled:
        compiled[script] = compile(script, "script", "exec")
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        child(compiled[script], data, theirs)
    os.close(theirs)
    answer = bytearray()
    while piece := os.read(ours, 1 << 20):
        answer += piece
    os.close(ours)
    status = os.waitpid(pid, 0)[1]
    write(LENGTHS.pack(int(status == 0), len(answer)) + answer)
"""


class Nursery:
    """Stands in for `grader.limited.run_limited` while it is entered."""

    def __init__(self) -> None:
        self._answers: OrderedDict[tuple[str, bytes], bytes | None] = OrderedDict()
        self._asked = itertools.count(1)
        self._real = limited.run_limited
        self._replaced: list[Any] = []
        command = [sys.executable, "-I", "-S", "-W", "ignore", "-X", "utf8", "-c", _SERVER]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={}, cwd="/"
        )

    def __enter__(self) -> Nursery:
        for module in list(sys.modules.values()):
            if getattr(module, "run_limited", None) is self._real:
                module.run_limited = self.run_limited
                self._replaced.append(module)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for module in self._replaced:
            module.run_limited = self._real
        self._server.kill()
        self._server.communicate()

    @property
    def cpu_seconds(self) -> float:
        """CPU time of the bare interpreter and of all its forks."""
        return sum(psutil.Process(self._server.pid).cpu_times()[:4])

    def run_limited(
        self, script: str, data: bytes, *, cpu_seconds: int = 10, memory_mb: int = 1024
    ) -> bytes | None:
        """Answer as the real one would."""
        key = (script, data)
        if key not in self._answers:
            megabyte = limited.MEGABYTE
            limits = limited._LIMITS.format(cpu=cpu_seconds, memory=memory_mb * megabyte)
            answer = self._ask((limits + script).encode(), data)
            if next(self._asked) % COMPARED == 0:
                expect(self._real(script, data) == answer, "a forked child answers as a new one")
            self._answers[key] = answer
            if len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        return self._answers[key]

    def _ask(self, script: bytes, data: bytes) -> bytes | None:
        pipe, answers = self._server.stdin, self._server.stdout
        assert pipe and answers
        pipe.write(_LENGTHS.pack(len(script), len(data)) + script + data)
        pipe.flush()
        good, size = _LENGTHS.unpack(answers.read(_LENGTHS.size))
        answer = answers.read(size)
        return answer if good else None
