"""What a zygote does before the first fork, so that no fork has to: imports, and a rehearsal.

Libraries set themselves up at first use, and the interpreter rewrites a function while it is
called for the first times. A fork that does so copies every page it touches, and a student pays
for it out of a test's CPU time.
"""

from __future__ import annotations

import importlib
import io
import socket
import sys
from typing import Any

from . import codec
from .runner import RequestHandler, read_request, reseed
from .threads import hold_to_one_thread

_TIMES = 16  # a function is rewritten at its 8th call; soon after that it settles


def warm_up(settings: dict[str, Any]) -> None:
    """Import what every sandbox will need, as `settings` say, and use it as a test would."""
    sys.dont_write_bytecode = True
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.modules.update(dict.fromkeys(settings["hide"]))  # None makes `import name` fail
    for name in settings["warm"]:
        importlib.import_module(name)
    _warm_torch()
    _rehearse()
    reseed(0)


def _warm_torch() -> None:
    """Take one optimiser step: building the first one imports 1.6 s worth of torch."""
    torch = sys.modules.get("torch")
    if torch is None:
        return
    hold_to_one_thread(torch)
    weight = torch.nn.Parameter(torch.zeros(1))
    optimiser = torch.optim.SGD([weight], lr=0.1)
    weight.sum().backward()
    optimiser.step()
    importlib.import_module(".watch", __package__)  # now: later, a submission could shadow it


def _frames() -> list[bytes]:
    """Return the requests as a test would send them."""
    requests = (
        {"op": operation, "args": args, "most": codec.USUAL_BYTES}
        for operation, *args in _requests()
    )
    return [b"".join(codec.encode(request)) for request in requests]


def _rehearse() -> None:
    """Read and answer a test's requests, one at a time; nobody waits for the answers."""
    frames = _frames()
    for _ in range(_TIMES):
        reseed(0)
        session = RequestHandler()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            for frame in frames:
                ours.sendall(frame)
                session.answer(read_request(theirs, session))


def _requests() -> list[tuple[Any, ...]]:
    """Return a test's requests: small, for each must fit into a socket before it is read."""
    requests: list[tuple[Any, ...]] = [
        ("get", ["math", "pi"]),
        ("call", ["builtins", "dict"], [], {"a": [1, 2.5], "b": {"c": ("text", None, True)}}),
        ("call", ["math", "sqrt"], [-1.0], {}),  # raises
    ]
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if numpy is not None:
        x = numpy.ones((3, 4))
        requests += [
            ("call", ["numpy", "matmul"], [x, x.T], {}),
            ("call", ["numpy", "exp"], [x], {}),
            ("call", ["numpy", "mean"], [x], {"axis": 1, "keepdims": True}),
        ]
    if torch is not None:
        layer, x = codec.Handle(0, "Linear"), torch.ones(3, 4)
        image = torch.ones(1, 1, 4, 4)
        requests += [
            ("call", ["torch.nn", "Linear"], [4, 2], {}),
            ("call", [layer], [x], {}),
            ("parameters", layer),
            ("gradients", layer, x, torch.ones(3, 2)),
            ("call", ["torch.nn.functional", "cross_entropy"], [x, torch.tensor([0, 1, 2])], {}),
            ("call", ["torch.nn.functional", "conv2d"], [image, image], {}),
        ]
    return requests
