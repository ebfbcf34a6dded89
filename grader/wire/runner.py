"""The process inside the sandbox that calls student code on request.

Three kinds of process, each a fork of the one before it, so that nothing is imported twice:

    keeper     PID 1 of the sandbox. Imports NumPy and torch, never touches student code, and so
               can always sweep up what student code leaves behind. Obeys the control socket.
    template   imports the submission once and waits. Obeys its own control socket.
    test       one fork of the template per test. Answers calls until its socket closes: a crash,
               a hang or a global set to nonsense costs that one test.

Nothing here is trusted by the other side: student code shares these processes and may do with
them what it likes. Control messages are single JSON lines; calls and values are frames of
`codec`. This file imports nothing of `grader`, because in the sandbox there is none.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import json
import os
import random
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from . import codec

_FIRST_FD = 3
_PR_SET_DUMPABLE = 4
_MAX_LINE = 65_536
_MAX_TEXT = 4_000
_SWEEP_SECONDS = 10.0
_MAX_SWEPT = 500


def main() -> None:
    """Run the keeper: warm up as told by ``argv[1]`` (JSON), report ready, then obey."""
    settings = json.loads(sys.argv[1])
    _protect_memory()
    _limit(settings["rlimits"])
    sys.dont_write_bytecode = True
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.modules.update(dict.fromkeys(settings["hide"]))  # None makes `import name` fail
    for name in settings["warm"]:
        importlib.import_module(name)
    _warm_torch()
    if settings["address_space_mb"]:
        _limit_address_space(settings["address_space_mb"])
    control = socket.socket(fileno=settings["control"])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps, orphans too
    _send_line(control, {"ready": os.getpid()})
    _obey(
        control,
        {
            "load": lambda message, fd: _fork(lambda: template(message, fd), fd),
            "sweep": lambda message, fd: _sweep(message["keep"]),
        },
    )


def template(message: dict[str, Any], fd: int) -> None:
    """Import the submission's modules and say which failed; then fork a test per request."""
    sys.path.insert(0, message["root"])
    failures = {}
    for name in message["modules"]:
        try:
            importlib.import_module(name)
        except BaseException as error:
            failures[name] = describe(error)
    control = socket.socket(fileno=fd)
    _send_line(control, {"loaded": failures})
    _obey(control, {"fork": lambda message, fd: _fork(lambda: serve(message["seed"], fd), fd)})


def serve(seed: int, fd: int) -> None:
    """Answer calls on a socket until it closes: one test's worth of student code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _reseed(seed)
    connection = socket.socket(fileno=fd)
    session = _Session()
    while True:
        prefix = _read(connection, codec.PREFIX.size)
        if prefix is None:
            return
        header_length, buffers_length = codec.frame_lengths(bytes(prefix))
        header = _read(connection, header_length)
        buffers = _read(connection, buffers_length)
        if header is None or buffers is None:
            return
        tree, specs = codec.read_header(bytes(header), buffers_length)
        request = codec.decode(tree, specs, buffers, session.resolve)
        for chunk in session.answer(request):
            connection.sendall(chunk)


class _Session:
    """The objects one test has made, and what may be asked of them."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.operations: dict[str, Callable[..., Any]] = {
            "call": self.call,
            "get": lambda target: _attribute(target),
            "generator": _generator,
            "parameters": lambda module: dict(module.named_parameters()),
            "gradients": _gradients,
            "train": _train,
        }

    def answer(self, request: dict[str, Any]) -> list[bytes]:
        """Perform one request; whatever student code raises becomes a plain description."""
        try:
            value = self.operations[request["op"]](*request["args"])
            _flush()
            return codec.encode({"ok": value}, self.keep)
        except BaseException as error:
            _flush()
            return codec.encode({"raised": describe(error)})

    def call(self, target: list[Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        return _attribute(target)(*args, **kwargs)

    def keep(self, value: Any) -> codec.Handle:
        """Keep an object here and return the handle that stands for it outside."""
        key = len(self.objects)
        self.objects[key] = value
        return codec.Handle(key, type(value).__name__[:100])

    def resolve(self, handle: codec.Handle) -> Any:
        return self.objects[handle.id]


def _attribute(target: list[Any]) -> Any:
    """Follow [module name or object, attribute, attribute, ...]."""
    value, *names = target
    if isinstance(value, str):
        value = sys.modules[value]
    for name in names:
        value = getattr(value, name)
    return value


def _generator(library: str, seed: int) -> Any:
    if library == "numpy":
        return importlib.import_module("numpy").random.default_rng(seed)
    return importlib.import_module("torch").Generator().manual_seed(seed)


def _train(module: Any, flag: bool) -> None:
    module.train(flag)


def _gradients(module: Any, x: Any, dy: Any) -> dict[str, Any]:
    """Return d(sum(module(x) * dy))/dp for every named parameter p, None where there is none."""
    module.zero_grad(set_to_none=True)
    module(x).backward(dy)
    return {name: parameter.grad for name, parameter in module.named_parameters()}


def describe(error: BaseException) -> dict[str, Any]:
    """Describe an exception in plain values, without trusting its own ``__str__``."""
    try:
        message = str(error)[:_MAX_TEXT]
        inner = error.with_traceback(_from_student_code(error.__traceback__))
        trace = "".join(traceback.format_exception(inner, limit=-8))[-_MAX_TEXT:]
    except BaseException:
        message, trace = "(its message could not be read)", ""
    names = [kind.__name__[:100] for kind in type(error).__mro__][:20]
    return {"types": names, "message": _readable(message), "traceback": _readable(trace)}


def _readable(text: str) -> str:
    """Write half a surrogate pair, as in the name of a broken file, as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _from_student_code(trace: TracebackType | None) -> TracebackType | None:
    """Drop the frames of the runner and of the import machinery from the top of a traceback."""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file != __file__ and not file.startswith("<frozen importlib"):
            return trace
        trace = trace.tb_next
    return None


def _obey(
    control: socket.socket, commands: dict[str, Callable[[dict[str, Any], int], Any]]
) -> None:
    """Answer control messages, one line each, until the socket closes."""
    while True:
        line, fds, _, _ = socket.recv_fds(control, _MAX_LINE, 1)
        if not line:
            return
        message = json.loads(line)
        answer = commands[message["op"]](message, fds[0] if fds else -1)
        _send_line(control, {"done": answer})


def _send_line(control: socket.socket, message: dict[str, Any]) -> None:
    control.sendall(json.dumps(message).encode() + b"\n")


def _fork(work: Callable[[], None], fd: int) -> int:
    """Run `work` in a child that keeps only the given socket; return the child's pid."""
    _flush()
    pid = os.fork()
    if pid:
        os.close(fd)
        return pid
    code = 1
    try:
        os.setsid()
        os.closerange(_FIRST_FD, fd)
        os.closerange(fd + 1, 4096)
        work()
        _flush()
        code = 0
    finally:
        os._exit(code)


def _sweep(keep: list[int]) -> int:
    """Kill every process but this one and those in `keep`; return how many there were.

    A killed process may take its time to die on a busy machine, so only a count of ever new
    ones, or one that will not go, calls for the last resort, which spares nobody.
    """
    if os.getpid() != 1:
        return 0  # without a PID namespace this would reach the host's processes
    killed: set[int] = set()
    deadline = time.monotonic() + _SWEEP_SECONDS
    while len(killed) < _MAX_SWEPT and time.monotonic() < deadline:
        victims = {pid for pid in _living() if pid not in (1, *keep)}
        if not victims:
            return len(killed)
        for pid in victims - killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed |= victims
        time.sleep(0.001)
    os.kill(-1, signal.SIGKILL)  # a fork bomb outruns a loop, but not one call that kills them all
    return len(killed)


def _living() -> list[int]:
    """Return the pids of this PID namespace, the dead but not yet reaped left out."""
    pids = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    state = file.read().rpartition(b")")[2].split()[0]
            except (OSError, IndexError):
                continue
            if state not in (b"Z", b"X"):
                pids.append(int(name))
    return pids


def _read(connection: socket.socket, length: int) -> bytearray | None:
    """Read exactly `length` bytes; None if the other side has closed."""
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return data


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):  # student code may have closed or replaced it
            stream.flush()


def _reseed(seed: int) -> None:
    """Seed every generator, so that a test gives the same result each time it is run."""
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy:
        numpy.random.seed(seed % 2**32)
    if torch:
        torch.manual_seed(seed)


def _warm_torch() -> None:
    """Take one optimiser step: building the first one imports 1.6 s worth of torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    torch.set_num_threads(1)  # a fork of a process that ran two threads hangs at two threads
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.sum().backward()
    optimiser.step()


def _protect_memory() -> None:
    """Close /proc/self/mem and ptrace to other processes of the same user."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def _limit(rlimits: dict[str, int]) -> None:
    """Set the limits that belong inside the user namespace, where their counts start at zero."""
    for name, value in rlimits.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def _limit_address_space(extra_mb: int) -> None:
    """Allow `extra_mb` beyond what the warm libraries map; for tiers where no cgroup holds."""
    with open("/proc/self/statm", encoding="ascii") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    limit = mapped + extra_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
