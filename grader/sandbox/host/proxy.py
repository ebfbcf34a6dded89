"""What a suite sees of student code: modules, functions and objects that live in the sandbox.

``student.layers.softmax(z)`` is one remote call; ``student.model.FNN(2, 64, "tanh")`` returns a
`RemoteObject`, whose calls and methods are remote calls again. An object that should have been a
value gives `StudentValue` at the first attempt to use it as one: a failed test, never a fault of
the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

from grader.sandbox.guest import codec
from grader.sandbox.host.budget import Budget
from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import StudentError, StudentValue


class Student:
    """The submission as one test sees it: its modules by name, in a process of the test's own."""

    def __init__(
        self,
        channel: Channel,
        budget: Budget,
        modules: Mapping[str, str],
        failures: Mapping[str, StudentError],
        after_block: Callable[[], None] = lambda: None,
    ) -> None:
        """Bind to a process; `after_block` is called whenever a `budget` block ends."""
        self._channel = channel
        self._budget = budget
        self._after_block = after_block
        self._modules = modules  # short name -> dotted name
        self._failures = failures  # dotted name -> why it could not be imported

    def __getattr__(self, name: str) -> RemoteModule:
        if name.startswith("_") or name not in self._modules:
            raise AttributeError(f"the manifest names no module {name!r} for this part")
        return RemoteModule(self._channel, self._modules[name], self._failures)

    def numpy_generator(self, seed: int) -> RemoteObject:
        """Make ``np.random.default_rng(seed)`` in the sandbox."""
        return _object(self._channel, "generator", "numpy", seed)

    def torch_generator(self, seed: int) -> RemoteObject:
        """Make ``torch.Generator().manual_seed(seed)`` in the sandbox."""
        return _object(self._channel, "generator", "torch", seed)

    def hold(self, value: Any) -> RemoteObject:
        """Copy a plain value into the sandbox, to stay there: calls get it itself, not a copy."""
        return _object(self._channel, "hold", value)

    @contextmanager
    def budget(self, *, cpu_seconds: float) -> Iterator[None]:
        """Give the calls inside the block a CPU allowance of their own; it counts nowhere else."""
        before = self._budget.cpu_seconds
        self._budget.allow(cpu_seconds)
        try:
            yield
        finally:
            self._budget.allow(before)
            self._after_block()


class RemoteModule:
    """A module of the submission."""

    def __init__(self, channel: Channel, name: str, failures: Mapping[str, StudentError]) -> None:
        self._channel = channel
        self._name = name
        self._failures = failures

    def __getattr__(self, name: str) -> RemoteAttribute:
        if name.startswith("__"):
            raise AttributeError(name)
        if self._name in self._failures:
            raise self._failures[self._name].anew()
        return RemoteAttribute(self._channel, (self._name, name))


class RemoteAttribute:
    """A function, class or value of student code, named but not yet asked for."""

    def __init__(self, channel: Channel, target: tuple[Any, ...]) -> None:
        self._channel = channel
        self._target = target

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it in the sandbox and return its value, or a RemoteObject if it is not plain.

        A value whose arrays are larger than an answer may be is a RemoteObject too.
        """
        __tracebackhide__ = True
        return remote_call(self._channel, self._target, args, kwargs)

    def fetch(self) -> Any:
        """Return the value of the attribute itself."""
        return _inward(self._channel, self._channel.ask("get", list(self._target)))


class RemoteObject:
    """An object that stays in the sandbox; it can be called, and passed back as an argument."""

    def __init__(self, channel: Channel, handle: codec.Handle) -> None:
        self._channel = channel
        self._handle = handle

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object in the sandbox."""
        return remote_call(self._channel, (self._handle,), args, kwargs)

    def __getattr__(self, name: str) -> RemoteAttribute:
        if name.startswith("__"):
            raise AttributeError(name)
        return RemoteAttribute(self._channel, (self._handle, name))

    def __repr__(self) -> str:
        return f"<student's {self._handle.class_name} object>"

    def ask(self, operation: str, *args: Any, most: int = codec.USUAL_BYTES) -> Any:
        """Perform one of the runner's operations on this object.

        What arrays of more than `most` bytes come back as is a RemoteObject.
        """
        plain = [_outward(arg) for arg in args]
        answer = self._channel.ask(operation, self._handle, *plain, most=most)
        return _inward(self._channel, answer)


def _refuse(self: RemoteObject, *_: Any) -> NoReturn:
    name = self._handle.class_name
    raise StudentValue(f"student code returned a {name} object where a value was expected")


# Everything a suite might do to a value, done to an object, is the student's mistake.
for _name in (
    "len iter next contains getitem setitem bool int float complex index array neg abs round hash "
    "add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul "
    "rmatmul divmod rdivmod lshift rlshift rshift rrshift eq ne lt le gt ge and rand or ror xor "
    "rxor invert delitem trunc floor ceil enter exit"
).split():
    setattr(RemoteObject, f"__{_name}__", _refuse)


def remote_call(
    channel: Channel, target: tuple[Any, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Call `target` in the sandbox; arguments are copied, so nothing of ours can be changed."""
    answer = channel.ask("call", list(target), _outward(args), _outward(kwargs))
    return _inward(channel, answer)


def _object(channel: Channel, operation: str, *args: Any) -> RemoteObject:
    value = _inward(channel, channel.ask(operation, *args))
    if not isinstance(value, RemoteObject):
        raise StudentValue(f"the sandbox gave a value for {operation}, not an object")
    return value


def _outward(value: Any) -> Any:
    return _convert(value, RemoteObject, lambda remote: remote._handle)


def _inward(channel: Channel, value: Any) -> Any:
    return _convert(value, codec.Handle, lambda handle: RemoteObject(channel, handle))


def _convert(value: Any, kind: type, replace: Callable[[Any], Any]) -> Any:
    if type(value) is kind:
        return replace(value)
    if type(value) in (list, tuple):
        return type(value)(_convert(x, kind, replace) for x in value)
    if type(value) is dict:
        return {key: _convert(x, kind, replace) for key, x in value.items()}
    return value
