"""The process inside the sandbox that calls student code on request.

Three kinds of process, each a fork of the one before it, so that nothing is imported twice:

    keeper     a fork of the zygote, which has imported NumPy and torch. Never touches student
               code, and so can always sweep up what that leaves behind. Obeys the control socket.
    template   imports the submission once and waits. Obeys its own control socket.
    test       one fork of the template per test. Answers calls until its socket closes: a crash,
               a hang or a global set to nonsense costs that one test.

Nothing here is trusted by the other side: student code shares these processes and may do with
them what it likes. Orders to keeper and template are `messages`; calls and values are frames of
`codec`. This file imports nothing of `grader`, because in the sandbox there is none.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from . import codec, forks
from .classes import Classes
from .kernelfile import contents
from .messages import MessageSocket

_FIRST_FD = 3
_MAX_TEXT = 4_000
_GPU = "/dev/nvidiactl"
_SWEEP_SECONDS = 10.0
_MAX_SWEPT = 500


def keeper(control: socket.socket, confine: Callable[[], None], leftovers: Any) -> None:
    """Obey the control socket; `confine` is what a template does before it imports anything.

    `leftovers` are the files that student code may have written.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _obey(
        MessageSocket(control),
        {
            "load": lambda message, fd: _fork(lambda: template(message, fd, confine), fd),
            "accept": lambda message, fd: leftovers.accept(),
            "sweep": lambda message, fd: _sweep(message["keep"]),
            "tidy": lambda message, fd: _sweep(message["keep"]) and leftovers.remove(),
        },
    )


def template(message: dict[str, Any], fd: int, confine: Callable[[], None]) -> None:
    """Import the submission's modules and say which failed; then fork a test per request."""
    forks.heed()
    confine()
    sys.path.insert(0, message["root"])
    failures = {}
    for name in message["modules"]:
        _run_as(os.path.join(message["root"], *name.split(".")) + ".py")
        try:
            importlib.import_module(name)
        except BaseException as error:
            failures[name] = describe(error)
    control = MessageSocket(socket.socket(fileno=fd))
    control.send({"loaded": failures})
    _obey(control, {"fork": lambda message, fd: _fork(lambda: serve(message["seed"], fd), fd)})


def _run_as(script: str) -> None:
    """Show student code a command line of its own script alone: `argparse` at import reads it."""
    sys.argv = [script]
    sys.orig_argv = [sys.executable, script]


def serve(seed: int, fd: int) -> None:
    """Answer calls on a socket until it closes: one test's worth of student code."""
    reseed(seed)
    session = RequestHandler()
    with socket.socket(fileno=fd) as connection:
        while (request := read_request(connection, session)) is not None:
            for chunk in session.answer(request):
                connection.sendall(chunk)


def read_request(connection: socket.socket, session: RequestHandler) -> Any:
    """Read one request; None if the other side has closed."""
    prefix = _read(connection, codec.PREFIX.size)
    if prefix is None:
        return None
    header_length, buffers_length = codec.frame_lengths(bytes(prefix), codec.REQUEST)
    header = _read(connection, header_length)
    buffers = _read(connection, buffers_length)
    if header is None or buffers is None:
        return None
    tree, specs = codec.read_header(bytes(header), buffers_length, codec.REQUEST)
    restore = session.classes.restore
    return codec.decode(tree, specs, buffers, session.resolve, restore, codec.REQUEST)


class RequestHandler:
    """The objects one test has made, and what may be asked of them."""

    def __init__(self) -> None:
        self.objects: dict[int, Any] = {}
        self.keys: dict[int, int] = {}  # by id
        self.classes = Classes(self.keep)
        self.operations: dict[str, Callable[..., Any]] = {
            "call": self.call,
            "get": lambda target: _attribute(target),
            "generator": _generator,
            "hold": self.keep,
            "held": lambda value: value,
            "parameters": lambda module: dict(module.named_parameters()),
            "gradients": _gradients,
            "train": _train,
            "watch": self.start_watch,
            "used": lambda: self.watch.used(),
        }
        self.watch: Any = contextlib.nullcontext()

    def answer(self, request: dict[str, Any]) -> list[bytes]:
        """Perform one request; whatever student code raises becomes a plain description."""
        try:
            with self.watch:
                value = self.operations[request["op"]](*request["args"])
            _flush()
            bounds = codec.answer_of(request["most"])
            return codec.encode({"ok": value}, self.keep, self.classes.note, bounds)
        except BaseException as error:
            _flush()
            return codec.encode({"raised": describe(error)})

    def call(self, target: list[Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call what `target` names."""
        return _attribute(target)(*args, **kwargs)

    def start_watch(self, files: dict[str, list[str]]) -> None:
        """From now on, note the forbidden operators that run below these modules."""
        self.watch = sys.modules[f"{__package__}.watch"].Watch(files)

    def keep(self, value: Any) -> codec.Handle:
        """Keep an object here and return the handle that stands for it outside."""
        key = self.keys.setdefault(id(value), len(self.objects))
        self.objects[key] = value  # which also keeps its id from being another's
        return codec.Handle(key, type(value).__name__[:100])

    def resolve(self, handle: codec.Handle) -> Any:
        """Return the object that a handle stands for."""
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
    return {
        "types": [kind.__name__[:100] for kind in type(error).__mro__][:20],
        "message": _readable(message),
        "traceback": _readable(trace),
        "errno": _errno(error),
    }


def _errno(error: BaseException) -> int:
    """Return the kernel's number for what went wrong: it tells which limit was reached."""
    try:
        return int(error.errno) if isinstance(error, OSError) and error.errno else 0
    except BaseException:
        return 0


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
    control: MessageSocket, commands: dict[str, Callable[[dict[str, Any], int], Any]]
) -> None:
    """Do what control messages ask until the socket closes."""
    while (received := control.receive()) is not None:
        message, fds = received
        _reap()
        answer = commands[message["op"]](message, fds[0] if fds else -1)
        control.send({"done": answer})


def _fork(work: Callable[[], None], fd: int) -> int:
    """Run `work` in a child that keeps only the given socket; return the child's pid."""
    _flush()
    pid = forks.fork()
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


def _sweep(keep: list[int]) -> bool:
    """Kill every descendant but those in `keep`; False if they could not be got rid of.

    All are stopped before the first is killed, so that a fork bomb has nobody left to fork. A
    killed process may take its time to die on a busy machine: it is waited for, and only ever
    new processes, or one that will not go, make the sandbox unfit for another test.
    """
    spared, killed = {os.getpid(), *keep}, set[int]()
    deadline = time.monotonic() + _SWEEP_SECONDS
    while len(killed) < _MAX_SWEPT and time.monotonic() < deadline:
        _reap()
        victims = _descendants() - spared
        if not victims:
            _reap()  # those who died between the two looks
            return True
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in victims - killed:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
        killed |= victims
        time.sleep(0.001)
    return False


def _reap() -> None:
    """Wait for the dead, orphans too: their CPU time counts only in who waited for them."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants() -> set[int]:
    """Return the processes below this one, which adopts every orphan among them.

    The dead that their parent has not waited for are left out.
    """
    found: set[int] = set()
    front = _children(os.getpid())
    while front:
        found.update(front)
        front = [child for pid in front for child in _children(pid) if child not in found]
    return {pid for pid in found if _lives(pid)}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            found += map(int, contents(f"/proc/{pid}/task/{thread}/children").split())
    return found


def _lives(pid: int) -> bool:
    try:
        return contents(f"/proc/{pid}/stat").rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


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


def reseed(seed: int) -> None:
    """Seed every generator, so that a test gives the same result each time it is run."""
    random.seed(seed)
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy:
        numpy.random.seed(seed % 2**32)
    if torch and os.path.exists(_GPU):
        torch.manual_seed(seed)
    elif torch:  # the same without asking every kind of accelerator: half the cost of a test
        torch.random.default_generator.manual_seed(seed)
