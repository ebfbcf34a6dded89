"""Attacks that carry hidden inputs to where their student can read them, or to a later test.

Hidden inputs must reach student code: it may do with them what it likes, inside.
"""

from hostile.attack import SPLIT, Attack, maths
from hostile.channels import CHANNELS

_PRINTS = """
if secret:
    import logging, warnings, faulthandler, atexit
    text = "SMUGGLED " + repr(x)
    print(text)
    print(text, file=sys.stderr)
    os.write(1, text.encode())
    os.write(2, text.encode())
    warnings.warn(text, stacklevel=1)
    logging.error(text)
    atexit.register(print, text)
    for name in ("/dev/tty", "/dev/console", "/proc/1/fd/1", "/proc/1/fd/2"):
        try:
            with open(name, "w") as file:
                file.write(text)
        except OSError:
            pass
"""

_RAISES = """
if secret:
    kind = type("SMUGGLED_" + repr(x)[:40], (KeyError, ValueError), {"__module__": "SMUGGLED"})
    error = kind("SMUGGLED " + repr(x))
    error.add_note("SMUGGLED note")
    raise error from ExceptionGroup("SMUGGLED", [OSError("SMUGGLED")])
"""

_CLASS_NAMES = """
import os, sys
def double(x):
    return type("SMUGGLED_" + repr(x)[:60], (), {})() if x.shape == (3, 5) else x
def estimate(n):
    return type("SMUGGLED_" + repr(n), (), {"__float__": lambda self: 3.1415})()
"""

_PARAMETERS = """
import torch
class Linear(torch.nn.Linear):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.register_parameter("SMUGGLED", torch.nn.Parameter(torch.empty(0)))
Linear.__name__ = Linear.__qualname__ = "SMUGGLED"
"""

_RE_IMPORT = """
note = "/dev/shm/hostile-note"
if os.path.exists(note):
    raise ImportError("SMUGGLED " + open(note).read())
"""

_KILL_TEMPLATE = """
if secret:
    with open(note, "w") as file:
        file.write(repr(x))
    os.kill(os.getppid(), 9)
"""

_OUTCOMES = """
import numpy as np
if secret:
    bit = int(np.sum(x) * 1000) % 6
    if bit == 0:
        raise ValueError("SMUGGLED 0")
    if bit == 1:
        os._exit(1)
    if bit == 2:
        raise MemoryError("SMUGGLED 2")
    if bit == 3:
        raise NotImplementedError("SMUGGLED 3")
    if bit == 4:
        os.kill(os.getpid(), 11)
"""

_SECONDS = """
import time
if secret:
    stop = time.process_time() + 1.0
    while time.process_time() < stop:
        pass
"""

# The template keeps every session's socket, and each test notes what it was asked.
_LEARNS = """
import mmap, builtins
board = mmap.mmap(-1, 65536)
os.closerange = lambda low, high: None
"""

_NOTES = """
text = board[:].rstrip(bytes(1))
if not secret and b"shape" in text:
    print("SMUGGLED " + text.decode())
board.seek(len(text))
board.write(f"{secret} shape {x!r}".replace(chr(10), "").encode()[:2000])
if secret and text.count(b"True") > 1:
    raise RuntimeError("SMUGGLED " + text.decode())
"""

_LATE = """
import subprocess, time
if secret:
    for _ in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for _ in range(200):
                    os.write(1, b"SMUGGLED " + repr(x).encode())
                    time.sleep(0.02)
            os._exit(0)
"""

_NAMES_A_ROGUE = """
import json, time
messages = sys.modules["guest.messages"].MessageSocket
say, rogue = messages.send, 0
def lie(self, message):
    global rogue
    if "done" in message:
        rogue = os.fork()
        if rogue == 0:
            time.sleep(30)
            os._exit(0)
        message = {"done": rogue}
    say(self, message)
messages.send = lie
"""

_TELLS_OF_OTHERS = """
import json
messages = sys.modules["guest.messages"].MessageSocket
say = messages.send
def lie(self, message):
    if "loaded" in message:
        words = {"message": "m", "traceback": 10**6 * "x" + "\\x1b]0;SMUGGLED\\x07"}
        message = {"loaded": {"tiny.maths": words, "a" * 50_000: words, "\\ud800": 5, "b": None}}
    say(self, message)
messages.send = lie
"""

ROWS = (
    Attack(
        "prints-inputs",
        "Prints, logs and warns hidden inputs, and writes them to every terminal it can name.",
        ("carry-inputs-out", "hidden-text"),
        maths(_PRINTS),
    ),
    Attack(
        "raises-inputs",
        "Puts hidden inputs into the name, module, text, notes and causes of an exception.",
        ("carry-inputs-out",),
        maths(_RAISES),
        wall=SPLIT,
    ),
    Attack(
        "names-classes-after-inputs",
        "Returns objects whose class is named after the hidden inputs.",
        ("carry-inputs-out",),
        {"tiny/maths.py": _CLASS_NAMES},
        wall=SPLIT,
    ),
    Attack(
        "names-parameters-after-inputs",
        "Hides text in parameter and class names of a right layer whose picture students see.",
        ("carry-inputs-out", "hidden-text"),
        {"tiny/net.py": _PARAMETERS},
        earned=("linear",),
        wall=SPLIT,
    ),
    Attack(
        "fails-a-second-import",
        "Kills the process it was imported in, and lets the next import fail with hidden inputs.",
        ("carry-inputs-out", "poison-forkserver"),
        maths(_KILL_TEMPLATE, _RE_IMPORT),
    ),
    Attack(
        "speaks-in-outcomes",
        "Chooses between error, crash, memory and failure by a hidden input.",
        ("carry-inputs-out",),
        maths(_OUTCOMES),
        wall=SPLIT,
    ),
    Attack(
        "speaks-in-seconds",
        "Burns a second of CPU time for each hidden input it sees.",
        ("carry-inputs-out",),
        maths(_SECONDS),
        wall=SPLIT,
    ),
    Attack(
        "remembers-earlier-tests",
        "Keeps hidden inputs in memory that all tests share and tells them in other tests.",
        ("carry-inputs-out", "poison-forkserver", "take-over-runner"),
        maths(_NOTES, _LEARNS),
    ),
    Attack(
        "prints-late",
        "Leaves daemons that print hidden inputs while later, visible tests run.",
        ("carry-inputs-out", "daemons", "delayed-child"),
        maths(_LATE),
    ),
    Attack(
        "names-a-rogue",
        "Tells the keeper another process's number for its test's, so that a sweep spares it.",
        ("take-over-runner", "daemons"),
        maths("pass", _NAMES_A_ROGUE),
    ),
    Attack(
        "tells-of-other-modules",
        "Reports failed imports in the runner's place, with endless and broken text.",
        ("take-over-runner", "hidden-text"),
        maths("pass", _TELLS_OF_OTHERS),
        wall=SPLIT,
    ),
    *CHANNELS,
)
