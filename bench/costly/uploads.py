"""The uploads: each is a right submission of a lab, changed to make others work for it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from grader.authoring import reference_submission
from grader.lab.catalogue import Lab

Upload = list[tuple[str, bytes]]

# Every function of a module answers with `answer()` instead, whatever it was asked.
_ANSWERS = """
import types as _types
def _instead(*args, **kwargs):
    return answer()
for _name, _thing in list(globals().items()):
    if isinstance(_thing, _types.FunctionType) and not _name.startswith("_") and _name != "answer":
        globals()[_name] = _instead
"""
_CALLS = """
import types as _types
def _before(function):
    def call(*args, **kwargs):
        work()
        return function(*args, **kwargs)
    return call
for _name, _thing in list(globals().items()):
    if isinstance(_thing, _types.FunctionType) and not _name.startswith("_") and _name != "work":
        globals()[_name] = _before(_thing)
"""

_DEEP = """
import gc as _gc, socket as _socket, struct as _struct
_deep = b"[" * 999_999
def _say():
    for peer in _gc.get_objects():
        if isinstance(peer, _socket.socket) and peer.fileno() >= 0:
            try:
                peer.sendall(_struct.pack("!IQ", len(_deep), 0) + _deep)
            except OSError:
                pass
"""


@dataclass(frozen=True)
class Costly:
    """One upload."""

    name: str
    does: str
    make: Callable[[Lab], Upload]
    slow: bool = False  # it waits: it holds a worker for minutes and costs it nothing else


def right(lab: Lab) -> dict[str, bytes]:
    """Return the reference's files by path."""
    return {file.path: file.content for file in reference_submission(lab).files}


def _with(files: Mapping[str, bytes], ending: str) -> Upload:
    """Return the files with the same text at the end of every Python file."""
    return [
        (path, content + ending.encode() if path.endswith(".py") else content)
        for path, content in files.items()
    ]


def _answering(expression: str, setup: str = "") -> Callable[[Lab], Upload]:
    """Have every function of the upload return one value."""
    text = f"\n{setup}\ndef answer():\n    return {expression}\n{_ANSWERS}"
    return lambda lab: _with(right(lab), text)


def _working(statement: str, setup: str = "") -> Callable[[Lab], Upload]:
    """Have every function of the upload do something first, and then answer right."""
    text = f"\n{setup}\ndef work():\n    {statement}\n{_CALLS}"
    return lambda lab: _with(right(lab), text)


def _importing(statements: str) -> Callable[[Lab], Upload]:
    return lambda lab: _with(right(lab), f"\n{statements}\n")


def _named(tensors: str) -> Callable[[Lab], Upload]:
    """Have every network show tensors as its parameters that are not."""
    text = f"""
import torch as _torch
_made = []
def _shown(self, *args, **kwargs):
    if not _made:
        _made.extend((f"p{{n}}", _torch.nn.Parameter(t)) for n, t in enumerate({tensors}))
    return iter(_made)
_torch.nn.Module.named_parameters = _shown
"""

    def make(lab: Lab) -> Upload:
        bare = {file.path for file in lab.assignment.files if "torch" in file.without}
        return [
            (path, content if path in bare or not path.endswith(".py") else content + text.encode())
            for path, content in right(lab).items()
        ]

    return make


def _table(rows: Callable[[bytes], bytes]) -> Callable[[Lab], Upload]:
    """Change every table of the upload, and pack it: a line repeated a million times is short."""

    def make(lab: Lab) -> Upload:
        files = {
            path: rows(content) if path.endswith(".csv") else content
            for path, content in right(lab).items()
        }
        return [("upload.zip", _packed(files))]

    return make


def _packed(files: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def _notebook(cells: int, lines: int, output: int) -> Callable[[Lab], Upload]:
    """Send a notebook of many cells, some marked as a file's, each with lines and an output."""

    def make(lab: Lab) -> Upload:
        path = next(file.path for file in lab.assignment.files if file.module)
        cell = {
            "cell_type": "code",
            "metadata": {},
            "execution_count": None,
            "source": f"# file: {path}\n" + "x = 1\n" * lines,
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "o" * output}],
        }
        book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell] * cells}
        return [("work.ipynb", json.dumps(book).encode())]

    return make


def _source(text: bytes) -> Callable[[Lab], Upload]:
    """Send one text in the place of every Python file."""
    return lambda lab: [
        (path, text if path.endswith(".py") else content) for path, content in right(lab).items()
    ]


def _zeros(megabytes: int) -> Callable[[Lab], Upload]:
    def make(lab: Lab) -> Upload:
        return [("upload.zip", _packed(right(lab) | {"more.bin": bytes(megabytes * 10**6)}))]

    return make


UPLOADS = (
    Costly("right", "is the reference, for comparison", lambda lab: list(right(lab).items())),
    Costly(
        "large-values",
        "answers every call with 32 MB, as much as an answer may have",
        _answering("numpy.zeros((1000, 4000))", "import numpy"),
    ),
    Costly(
        "larger-values",
        "answers every call with 128 MB",
        _answering("numpy.zeros((4000, 4000))", "import numpy"),
    ),
    Costly(
        "deep-values",
        "answers every call with lists nested as deep, and as many, as may cross",
        _answering("tree", "tree = []\nfor _ in range(15):\n    tree = [tree] * 2"),
    ),
    Costly(
        "large-headers",
        "answers every call with as many empty lists as a header of a megabyte holds",
        _answering("[[] for _ in range(110_000)]"),
    ),
    Costly(
        "nested-headers",
        "answers every call, past the codec, with a header nested a million deep",
        _working("_say()", _DEEP),
    ),
    Costly(
        "many-handles",
        "answers every call with 40,000 objects that stay in the sandbox",
        _answering("[object() for _ in range(40_000)]"),
    ),
    Costly(
        "many-arrays",
        "answers every call with 256 arrays",
        _answering("[numpy.zeros(10_000)] * 256", "import numpy"),
    ),
    Costly(
        "long-text",
        "answers every call with a megabyte of text",
        _answering("'\\u202e' * 160_000"),
    ),
    Costly(
        "long-errors",
        "raises in every call, with 100 MB of text",
        _working("raise ValueError('x' * 10**8)"),
    ),
    Costly(
        "wide-layers",
        "shows layers of 4,000 units where other sizes were asked for",
        _named("[_torch.ones(4000, 4000)] * 4"),
    ),
    Costly(
        "wide-enough-layers",
        "shows layers of 1,400 units, all that an answer may have",
        _named(
            "[_torch.ones(1400, 1), _torch.ones(1400)]"
            " + [_torch.ones(1400, 1400), _torch.ones(1400)] * 4"
            " + [_torch.ones(1, 1400), _torch.ones(1)]"
        ),
    ),
    Costly(
        "infinite-weights",
        "shows parameters that are infinite",
        _named(
            "[_torch.full((64, 1), float('inf')), _torch.ones(64),"
            " _torch.ones(1, 64), _torch.ones(1)]"
        ),
    ),
    Costly("prints", "prints without end in every call", _working("while True: print('x' * 9999)")),
    Costly("loops", "computes without end in every call", _working("while True: pass")),
    Costly("dies", "ends its process in every call", _working("os._exit(0)", "import os")),
    Costly(
        "kills-its-parent",
        "kills the process that imported it in every call, so that it is imported again",
        _working("os.kill(os.getppid(), 9)", "import os"),
    ),
    Costly(
        "imports-long", "computes without end while it is imported", _importing("while 1: pass")
    ),
    Costly(
        "imports-much",
        "takes memory without end while it is imported",
        _importing("_held = []\nwhile True: _held.append(bytearray(10**7))"),
    ),
    Costly(
        "empty-lines",
        "has ten million empty lines in its table",
        _table(lambda table: table + b"\n" * 10**7),
    ),
    Costly(
        "many-rows",
        "has as many rows in its table as fit into an upload",
        _table(lambda table: table + table.splitlines()[-1] * 10**5),
    ),
    Costly(
        "wide-table",
        "has a line of a million cells in its table",
        _table(lambda table: table + b"," * 10**6),
    ),
    Costly(
        "large-notebook", "is a notebook of 2,000 cells with outputs", _notebook(2_000, 50, 5_000)
    ),
    Costly("long-notebook", "is a notebook of one cell of 500,000 lines", _notebook(1, 500_000, 0)),
    Costly("large-zip", "is a zip of 15 MB of zeros", _zeros(15)),
    Costly("bomb", "is a zip of 900 MB of zeros", _zeros(900)),
    Costly("deep-source", "nests parentheses 100,000 deep", _source(b"x = " + b"(" * 10**5)),
    Costly("long-source", "is a megabyte of statements", _source(b"x = 1\n" * 150_000)),
    Costly(
        "sleeps-in-imports",
        "sleeps while it is imported",
        _importing("import time\ntime.sleep(9999)"),
        slow=True,
    ),
    Costly(
        "sleeps-in-tests",
        "sleeps in every call",
        _working("time.sleep(9999)", "import time"),
        slow=True,
    ),
    Costly(
        "sleeps-in-second-imports",
        "kills the process that imported it in every call, and sleeps when imported again",
        _working(
            "os.kill(os.getppid(), 9)",
            "import os, tempfile, time\n"
            "_mark = os.path.join(tempfile.gettempdir(), __name__)\n"
            "if os.path.exists(_mark): time.sleep(9999)\n"
            "open(_mark, 'w').close()",
        ),
        slow=True,
    ),
)
