"""Reads one attribute of every module after each test: what instrumented code counted meanwhile.

For proving suites, whose solutions are ours: nothing that a student's code says is passed on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from grader.sandbox.host.channel import Channel
from grader.sandbox.host.failures import StudentError

UNREAD = ""  # in place of a value that could not be read


class Probe:
    """What the attribute held in the processes of each test, by module."""

    def __init__(self, attribute: str) -> None:
        """Read an attribute of type bytes or bytearray; none at all if its name is empty."""
        self._attribute = attribute
        self._open: dict[Channel, tuple[str, ...]] = {}
        self.readings: dict[str, dict[str, tuple[str, ...]]] = {}  # test -> module -> hex

    @contextmanager
    def over(self, channel: Channel, modules: Collection[str]) -> Iterator[None]:
        """Have a process with these modules (dotted names) read as long as it is open."""
        self._open[channel] = tuple(modules)
        try:
            yield
        finally:
            del self._open[channel]

    def collect(self, test: str) -> None:
        """Read every open process; `UNREAD` stands for what does not answer."""
        if not self._attribute:
            return
        found: dict[str, tuple[str, ...]] = {}
        for channel, modules in self._open.items():
            for module in modules:
                found[module] = (*found.get(module, ()), self._read(channel, module))
        self.readings[test] = found

    def _read(self, channel: Channel, module: str) -> str:
        try:
            value = channel.ask("call", [module, self._attribute, "hex"], (), {})
        except StudentError:
            return UNREAD
        return value if type(value) is str else UNREAD
