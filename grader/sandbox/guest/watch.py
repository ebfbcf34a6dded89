"""Notes, inside the sandbox, which forbidden operators run below a file that is to do without.

Advice only. It shares its process with student code, which can switch it off, lie to it, or work
where it does not look: another thread or process, TorchScript. What it says is checked and
bounded on the other side (`grader.from_scratch.run`) and changes no score.

torch hands every call of its functions to a TorchFunctionMode; ours notes the call and makes it.
A backward pass runs with the mode off; there a profile function sees what student code calls.
Values, gradients and messages stay the same. One thing differs: layers with a fused fast path for
evaluation (nn.MultiheadAttention, nn.TransformerEncoderLayer) take the ordinary path, whose result
may differ by rounding. A TorchDispatchMode would see TorchScript too, but makes small operations
several times as slow, and a test's CPU time is limited.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType, FunctionType, TracebackType
from typing import Any

import torch
import torch.overrides
from torch.overrides import TorchFunctionMode

_MOST_USES = 200  # a loop may make millions of calls
_FIRST = "torch.nn.functional."  # the spelling that is reported where one function has several

_OVERRIDES = torch.overrides.__file__

Use = tuple[str, int, str]  # module, line, dotted name
Note = Callable[[Any], None]


class Watch:
    """A context in which student code is called; `used` tells what it used, and starts anew."""

    def __init__(self, files: Mapping[str, Sequence[str]]) -> None:
        """Watch modules (dotted names, imported before) for the full names each must not use."""
        self._known = _functions_of({name for names in files.values() for name in names})
        self._files = {
            getattr(sys.modules.get(name), "__file__", None): (name, frozenset(names))
            for name, names in files.items()
        }
        self._uses: dict[Use, None] = {}
        self._mode = _Functions(self._known, self._note)

    def __enter__(self) -> None:
        self._mode.__enter__()  # type: ignore[no-untyped-call]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mode.__exit__(kind, error, trace)  # type: ignore[no-untyped-call]
        if error is not None:
            error.__traceback__ = _without_ours(error.__traceback__)

    def used(self) -> list[list[str | int]]:
        """Return ``[[module, line, name], ...]`` since the last time it was asked."""
        uses, self._uses = self._uses, {}
        return [list(use) for use in uses]

    def _note(self, function: Any) -> None:
        name = self._known.get(function)
        if name is None or len(self._uses) >= _MOST_USES:
            return
        for frame in _callers():
            module, names = self._files.get(frame.f_code.co_filename, ("", frozenset()))
            if name in names:
                self._uses[module, frame.f_lineno, name] = None
                return


class _Functions(TorchFunctionMode):
    """Notes the calls of known torch functions and makes every call."""

    def __init__(self, known: Mapping[Any, str], note: Note) -> None:
        super().__init__()
        self._note = note
        backward = (torch.Tensor.backward, torch.autograd.backward, torch.autograd.grad)
        self._backward = frozenset(backward)
        self._looked_at = self._backward.union(known)

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in self._looked_at:  # the one cost of a call that nobody asks about
            if func in self._backward:
                with _Profile(self._note):
                    return func(*args, **(kwargs or {}))
            self._note(func)
        return func(*args, **(kwargs or {}))


class _Profile:
    """Notes every function that Python code of this thread calls, and puts back what it found."""

    def __init__(self, note: Note) -> None:
        self._note = note
        self._before = sys.getprofile()

    def __enter__(self) -> None:
        sys.setprofile(self._called)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _called(self, frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call":
            self._note(function)
        elif event == "call":
            self._note(frame.f_code)


def _functions_of(names: set[str]) -> dict[Any, str]:
    """Return the functions and kernels that these names reach, each with one of its names."""
    known: dict[Any, str] = {}
    for name in sorted(names, key=lambda name: (not name.startswith(_FIRST), name)):
        for function in _forms(_reached(name)):
            known.setdefault(function, name)
            if isinstance(function, FunctionType):
                known.setdefault(function.__code__, name)
    return known


def _reached(name: str) -> Any:
    """Return what a dotted name stands for in this version of torch; None if nothing."""
    library, *path = name.split(".")
    value: Any = torch if library == "torch" else None
    try:
        for step in path:
            value = getattr(value, step)
    except (AttributeError, RuntimeError):
        return getattr(torch._C._nn, path[-1], None) if name.startswith(_FIRST) else None
    return value


def _forms(value: Any) -> Iterator[Any]:
    """Yield the objects by which a function or kernel may be passed to a mode; none for a class.

    What a layer computes is watched by the functions it calls.
    """
    if isinstance(value, torch._ops.OpOverloadPacket):
        yield from (value, value._op)
        for overload in value.overloads():  # type: ignore[no-untyped-call]
            one = getattr(value, overload)
            yield from (one, one._op)
    elif callable(value) and not isinstance(value, type):
        yield value


def _callers() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback as if nobody watched: without our frames and torch's on the way to us."""
    steps = []
    while trace is not None:
        steps.append(trace)
        trace = trace.tb_next
    files = [step.tb_frame.f_code.co_filename for step in steps]
    kept = None
    for step, file, inner in reversed(list(zip(steps, files, [*files[1:], ""], strict=True))):
        # A function of torch that is written in Python hands its call over and is called again.
        if file not in (__file__, _OVERRIDES) and inner != _OVERRIDES:
            kept = TracebackType(kept, step.tb_frame, step.tb_lasti, step.tb_lineno)
    return kept
