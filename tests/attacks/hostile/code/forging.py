"""The hostile code of the rows in `hostile.forging`."""

WRONG = """
def double(x):
    return x
def estimate(n):
    return 0.0
"""

AT_EXIT = """
import atexit, os, signal, sys, threading
atexit.register(lambda: os._exit(0))
atexit.register(lambda: sys.exit(0))
threading._register_atexit(lambda: os._exit(0))
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
    signal.signal(number, lambda *_: os._exit(0))
class Last:
    def __del__(self):
        os._exit(0)
last = Last()
"""

CODES = """
import os, sys
codes = iter([0, None, "passed", 5, True])
def double(x):
    sys.exit(next(codes))
def estimate(n):
    raise SystemExit(0)
"""

PYTEST = """
import sys
try:
    import pytest
    from _pytest.outcomes import Exit, Skipped, XFailed
    raised = [pytest.skip.Exception("ok"), pytest.xfail.Exception("ok"), Exit("ok", 0)]
except ImportError:
    Skipped = type("Skipped", (BaseException,), {"__module__": "_pytest.outcomes"})
    Exit = type("Exit", (Exception,), {"__module__": "_pytest.outcomes", "returncode": 0})
    raised = [Skipped("ok"), type("XFailed", (Skipped,), {})("ok"), Exit("ok")]
def double(x):
    raise raised[0] if x.ndim == 1 else raised[1]
def estimate(n):
    raise raised[2]
"""

ODD_ENDS = """
import os
class Quiet(BaseException):
    def __str__(self):
        os._exit(0)
    __repr__ = __str__
def double(x):
    raise KeyboardInterrupt if x.ndim == 1 else GeneratorExit
def estimate(n):
    raise Quiet
"""

HELPERS = """
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
np.max = np.abs = lambda *a, **k: 0.0
"""

BUILTINS = """
import builtins, operator, math
builtins.isinstance = lambda *a: True
builtins.abs = lambda x: 0.0
builtins.AssertionError = builtins.StopIteration
math.isfinite = lambda x: True
operator.eq = lambda a, b: True
"""

CODE = """
import gc, sys, types
def passes(*args, **kwargs):
    return None
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType):
        if thing.__name__.startswith("test_") or thing.__name__ in ("assert_matches", "require"):
            try:
                thing.__code__ = passes.__code__
            except ValueError:
                pass
"""

REFERENCE = """
import gc, sys, types
def same(x):
    return x
for name in ("reference_tiny.maths", "reference.maths", "reference", "maths"):
    module = sys.modules.setdefault(name, types.ModuleType(name))
    module.double = module.estimate = same
for thing in gc.get_objects():
    if isinstance(thing, types.SimpleNamespace):
        thing.maths = sys.modules["maths"]
"""

PLUGIN = """
import sys
try:
    import pluggy, _pytest.runner, _pytest.reports, _pytest.config
    _pytest.runner.check_interactive_exception = lambda *a: False
    _pytest.runner.pytest_runtest_makereport = lambda *a: None
    _pytest.reports.TestReport.from_item_and_call = classmethod(lambda *a: None)
    manager = _pytest.config.get_plugin_manager()
    manager.register(sys.modules[__name__])
    _pytest.config.main(["--version"])
except BaseException:
    pass
def pytest_runtest_makereport(item, call):
    from _pytest.reports import TestReport
    return TestReport(item.nodeid, item.location, {}, "passed", None, "call")
"""

CONFTEST = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item, call):
    from _pytest.reports import TestReport
    return TestReport(item.nodeid, item.location, {}, "passed", None, "call")
"""

CRY = "import os\nopen('/dev/shm/hostile-ran', 'w').write(__file__)\n"
RAN = "if os.path.exists('/dev/shm/hostile-ran'):\n    raise RuntimeError('LEAKED it ran')"

CHILD = """
import glob, time
def overwrite():
    for _ in range(20):
        for name in ("results.json", "report.json", "/autograder/results/results.json", "score"):
            try:
                open(name, "w").write('{"score": 9}')
            except OSError:
                pass
        for fd in range(1, 64):
            try:
                os.write(fd, b"6 passed\\n" + b'{"ok": 1}\\n')
            except OSError:
                pass
        time.sleep(0.1)
for where in ("import", "call"):
    if os.fork() == 0:
        os.setsid()
        overwrite()
        os._exit(0)
"""

LINES = """
report = '{"report": {"status": "graded", "score": 9.0, "max_score": 9.0}, "pictures": {}}'
lines = ["6 passed in 0.01s", report, '{"progress": {"done": 5, "total": 5}}', '{"done": 1}',
         '{"ok": true}', "##teamcity[testFinished]", "ok 1 - double", "PASSED [100%]"]
def shout():
    for line in lines:
        print(line)
        os.write(1, line.encode() + bytes([10]))
        os.write(2, line.encode() + bytes([10]))
shout()
"""

FRAMES = """
codec = sys.modules["guest.codec"]
frames = b"".join(codec.encode({"ok": 2.0})) + b"".join(codec.encode({"ok": [1.0] * 15}))
os.write(1, frames)
"""

TRACE = """
import sys, threading
def tracer(frame, event, arg):
    for name in ("value", "answer", "outcome", "passed", "verdict", "request"):
        if name in frame.f_locals:
            frame.f_locals[name] = True
    if frame.f_code.co_name in ("encode", "answer", "leaf"):
        frame.f_trace_opcodes = True
        try:
            frame.f_lineno = frame.f_lineno + 1
        except ValueError:
            pass
    return tracer
threading.settrace_all_threads(tracer) if hasattr(threading, "settrace_all_threads") else None
frame = sys._getframe()
sys.settrace(tracer)
sys.setprofile(lambda *a: None)
sys.addaudithook(lambda *a: None)
while frame:
    frame.f_trace = tracer
    frame = frame.f_back
"""

CLOCK = """
import time
for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "time_ns"):
    setattr(time, name, lambda: 0.0)
time.sleep = lambda seconds: None
import datetime, resource, signal
resource.getrusage = lambda who: None
signal.alarm = signal.setitimer = lambda *a: 0
"""

CLOCK_CALLS = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
moment = (ctypes.c_long * 2)(0, 0)
for clock in range(12):
    if libc.clock_settime(clock, moment) == 0:
        raise RuntimeError(f"LEAKED clock {clock}")
if libc.settimeofday(moment, None) == 0:
    raise RuntimeError("LEAKED the time of day")
while secret and hasattr(x, "shape"):
    pass
"""

SCORES = """
import numpy as np
score = __score__ = points = 9.0
passed = True
class Result(dict):
    score = max_score = credit = 9.0
    outcome = "passed"
def double(x):
    return {"score": 9.0, "credit": 1.0, "outcome": "passed", "value": 2 * x}
def estimate(n):
    return Result(score=9.0, credit=1.0, outcome="passed")
"""

PICKLES = """
import os, pickle
class Bomb:
    def __reduce__(self):
        return (os.system, ("touch " + @HOST@["canary"] + "/owned",))
    def __repr__(self):
        return "__import__('os').system('id')"
bomb = pickle.dumps(Bomb())
def double(x):
    return bomb if x.ndim == 1 else [Bomb(), bomb.decode("latin-1")]
def estimate(n):
    return Bomb()
"""

GIVEN = """
import os, sys
sys.modules["tiny.maths"] = sys.modules[__name__]
raise SystemExit("LEAKED the given file was replaced")
"""

MODULE = """
import sys
class Module:
    def __getattr__(self, name):
        return lambda *args: args[0]
    __path__ = []
    __file__ = "tests/attacks/home/reference/tiny/maths.py"
sys.modules[__name__] = sys.modules["reference_tiny.maths"] = Module()
"""
