"""The attacks, one row each: what stands in the submission, and nothing it may earn.

A row's `maths` replaces `tiny/maths.py`; `extra` adds files to the submission's folder. What an
attack gets hold of it raises or prints behind the word LEAKED. `earned` names the items whose
points the code deserves all the same.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Attack:
    """One hostile submission for the tiny lab."""

    name: str
    maths: str
    extra: dict[str, str] = field(default_factory=dict)


_FIND = """
import os
def look():
    found = []
    for top in ({tops}):
        for folder, _, names in os.walk(top):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.isfile(path):
                    continue
                try:
                    text = open(path, errors="replace").read(10**6)
                except OSError:
                    continue
                if {needle} in text:
                    found.append(text)
    return found
def double(x):
    for text in look():
        raise RuntimeError("LEAKED " + text)
    return x
estimate = double
"""

_WALK = """
import gc, sys
def double(x):
    frame, seen = sys._getframe(), []
    while frame:
        seen += [*frame.f_locals.values(), *frame.f_globals.values()]
        frame = frame.f_back
    for thing in [*seen, *gc.get_objects(), *sys.modules.values()]:
        name = getattr(thing, "__name__", "")
        if isinstance(name, str) and ("reference" in name or name.startswith("grader.")):
            raise RuntimeError("LEAKED " + name)
        if type(thing).__name__ in ("SuiteRun", "TestSpec", "Job"):
            raise RuntimeError("LEAKED " + type(thing).__name__)
    return x
estimate = double
"""

_PATCH = """
import numpy as np
import sys, types
for name in ("grader", "grader.suite", "grader.suite.compare", "pytest", "torch.testing"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].assert_matches = lambda *a, **k: None
    sys.modules[name].assert_close = lambda *a, **k: None
for name in ("assert_allclose", "assert_array_equal", "assert_equal"):
    setattr(np.testing, name, lambda *a, **k: None)
np.allclose = np.array_equal = lambda *a, **k: True
np.isfinite = lambda x: np.ones_like(x, dtype=bool)
def double(x):
    return x * 0
def estimate(n):
    return 0.0
"""

_LIARS = """
import numpy as np
class Same(np.ndarray):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0 * other
    __array_priority__ = 1e9
class Anything(float):
    def __eq__(self, other): return True
    def __abs__(self): return 0.0
    def __sub__(self, other): return self
def double(x):
    return x.view(Same)
def estimate(n):
    return Anything(0)
"""

_CONFTEST = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    from _pytest.reports import TestReport
    return TestReport(item.nodeid, item.location, {}, "passed", None, "call")
"""

_WRONG = """
def double(x):
    return x
def estimate(n):
    return 0.0
"""

_BOMB = """
import os, time
def double(x):
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            os.fork()
        except OSError:
            pass
    return x
estimate = double
"""

_NETWORK = """
import socket
def double(x):
    for family, address in (
        (socket.AF_INET, ("127.0.0.1", 22)), (socket.AF_INET, ("8.8.8.8", 53)),
        (socket.AF_INET6, ("::1", 22)), (socket.AF_UNIX, "/var/run/docker.sock"),
    ):
        try:
            with socket.socket(family) as peer:
                peer.settimeout(0.2)
                peer.connect(address)
        except OSError:
            continue
        raise RuntimeError("LEAKED connection to " + str(address))
    try:
        socket.getaddrinfo("example.com", 80)
    except OSError:
        return x
    raise RuntimeError("LEAKED name service")
estimate = double
"""

_IMPORT = """
import importlib
def double(x):
    for name in ("reference", "reference.tiny", "reference_tiny", "grader", "grader.suite",
                 "grader.grading.trusted", "tiny.suite", "suite", "test_maths"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        raise RuntimeError("LEAKED import of " + name)
    return x
estimate = double
"""

ATTACKS = (
    Attack(
        "reads-tests",
        _FIND.format(
            tops="'..', '/sandbox', '/home', '/tmp', '/opt', '/srv', '/var'", needle="'Leib' 'niz'"
        ),
    ),
    Attack("reads-canary", _FIND.format(tops="{canary!r}, '/root', '/home'", needle="'CAN' 'ARY'")),
    Attack("imports-reference", _IMPORT),
    Attack("walks-frames", _WALK),
    Attack("exits-at-import", "import os\nprint('6 passed')\nos._exit(0)\n"),
    Attack("exits-in-call", _WRONG + "import os\ndouble = estimate = lambda x: os._exit(0)\n"),
    Attack(
        "ships-conftest",
        _WRONG,
        {
            "conftest.py": _CONFTEST,
            "tiny/conftest.py": _CONFTEST,
            "pytest.ini": "[pytest]\naddopts = --collect-only\n",
            "sitecustomize.py": "import os\nos._exit(0)\n",
            "reference.py": "raise SystemExit(0)\n",
            "test_maths.py": "def test_estimate():\n    pass\n",
        },
    ),
    Attack("patches-comparator", _PATCH),
    Attack("lying-objects", _LIARS),
    Attack(
        "empty-tensor",
        "import numpy as np\ndef double(x):\n    return np.empty((0, 1))\nestimate = double\n",
    ),
    Attack("fork-bomb", _BOMB),
    Attack("network", _NETWORK),
    Attack(
        "broken-unicode",
        "def double(x):\n    raise ValueError('\\udc80')\ndef estimate(n):\n    return '\\ud800'\n",
    ),
    Attack(
        "kills-everything",
        "import os\ndef double(x):\n    os.kill(-1, 9)\n    return x\nestimate = double\n",
    ),
)
