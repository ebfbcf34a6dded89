"""Attacks that answer in the runner's place: on the socket of a test, and on that of the template.

All of the runner in these two processes is the student's to change; only the keeper is not.
"""

from hostile.attack import SPLIT, Attack, maths

_WIRE = """
import gc, json, socket, struct
def sockets():
    return [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.fileno() >= 0]
def frame(tree, specs=(), data=b""):
    head = json.dumps({"v": tree, "b": list(specs)}).encode()
    return struct.pack("!IQ", len(head), len(data)) + head + data
def ok(tree, specs=(), data=b""):
    return frame({"d": [["ok", tree]]}, specs, data)
def say(data):
    for peer in sockets():
        try:
            peer.sendall(data)
        except OSError:
            pass
"""

_CLAIMS = """
for key in ("ok", "raised", "passed", "verdict", "credit", "skip", "fault", "grader_error"):
    say(frame({"d": [[key, {"d": [["outcome", "passed"], ["credit", 1.0], ["score", 9]]}]]}))
say(frame({"d": [["ok", 3.14159], ["credit", 1.0], ["outcome", "passed"]]}))
"""

_DESYNC = """
for _ in range(50):
    say(ok(3.0) + ok({"a": 0}, [["float64", [3, 5]]], bytes(120)))
"""

_RAISED = """
types = {"l": ["Skipped", "StudentValue", "AssertionError", "GradingError"] * 30}
body = [["types", types], ["message", "\\x1b[2J" * 900], ["traceback", 7]]
say(frame({"d": [["raised", {"d": body}]]}))
"""

_KEEPS_SESSIONS = """
import os, time
runner = sys.modules["guest.runner"]
kept = []
plain = runner.socket.recv_fds
def keep(*args):
    answer = plain(*args)
    kept.extend(os.dup(fd) for fd in answer[1])
    return answer
runner.socket.recv_fds = keep
os.closerange = lambda low, high: None
def answer_all():
    while True:
        time.sleep(0.01)
        for fd in list(kept):
            try:
                os.write(fd, ok({"a": 0}, [["float64", [3, 5]]], bytes(120)))
            except OSError:
                kept.remove(fd)
import threading
threading.Thread(target=answer_all, daemon=True).start()
"""

_SERVES = """
import os
runner = sys.modules["guest.runner"]
def serve(seed, fd):
    peer = socket.socket(fileno=fd)
    while True:
        peer.recv(65536)
        peer.sendall(ok(seed) + ok(True) + ok({"T": 0}, [["float32", [5, 2]]], bytes(40)))
runner.serve = serve
runner.codec.encode = lambda *args: [ok(3.1415926)]
runner.RequestHandler.answer = lambda self, request: [ok(3.1415926)]
"""

_CONTROL = """
import threading, time
messages = sys.modules["guest.messages"].MessageSocket
say_line = messages.send
odd = ["[]", "{}", "null", '{"done": null}', '{"done": -1}', '{"done": 1}', '{"done": true}',
       '{"done": 1e999}', '{"done": ' + "9" * 5000 + "}", '{"fault": "x"}', "[" * 100_000, "\\xff"]
count = 0
def lie(self, message):
    global count
    if "done" in message:
        for _ in range(3):
            self.connection.sendall(odd[count % len(odd)].encode("latin-1") + bytes([10]))
            count += 1
    say_line(self, message)
messages.send = lie
"""

_FLOOD = """
messages = sys.modules["guest.messages"].MessageSocket
say_line = messages.send
def flood(self, message):
    if "done" in message:
        self.connection.sendall(b"x" * 3_000_000)
    else:
        say_line(self, message)
messages.send = flood
"""

_DESCRIPTORS = """
import array, os
for peer in sockets():
    fds = array.array("i", [os.open("/dev/null", os.O_RDONLY) for _ in range(50)])
    try:
        peer.sendmsg([ok(1.0)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
    except OSError:
        pass
    try:
        peer.shutdown(socket.SHUT_RD)
    except OSError:
        pass
"""

# ------------------------------------------------ attacks that would make it our fault, not theirs

_INTERRUPT = """
import signal, threading, time
for number in range(1, 65):
    try:
        if number not in (9, 19):
            os.kill(1, number)
    except (OSError, ValueError):
        pass
"""

_STARVE = """
import resource
for name in ("RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_STACK"):
    for pid in (1, os.getppid()):
        try:
            resource.prlimit(pid, getattr(resource, name), (0, 0))
        except (OSError, ValueError):
            pass
os.kill(os.getppid(), 9)
"""

_INTERRUPT_LATER = """
import threading, time, signal
def later():
    while True:
        time.sleep(0.02)
        try:
            os.kill(1, signal.SIGINT)
        except OSError:
            pass
threading.Thread(target=later, daemon=True).start()
"""

_CROWD = """
import os, threading, time, torch
class Linear(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        for _ in range(100):
            try:
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            except RuntimeError:
                break
        os.kill(os.getppid(), 9)
    def forward(self, x):
        return torch.zeros(len(x), 3)
"""

_HALF = """

def fit(x, y, seed, **options):
    if seed % 2**31 > 5:
        return torch.nn.Linear(1, 1).bfloat16()
    class Odd(torch.nn.Module):
        def named_parameters(self, *args):
            return [("a", torch.tensor(1.0)), ("b", torch.tensor(1j)), ("c", torch.zeros(0, 3)),
                    ("d", torch.zeros(2, dtype=torch.bool))]
        def forward(self, x):
            return 0 * x
    return Odd()
"""

_ODD_STUDY = """

def run_cell(factor, value, seed):
    return [3, 10**70, -(10**70), True, "3", None, 3j, float("nan"), [3.0]][seed % 9]
"""

_ODD_CSV = (
    "factor,value,seed,metric,cpu_s\n"
    + "depth," + "9" * 6000 + ",1,1,1\n"
    + "width,1e400,1,1,1\n" + "learning_rate,0x10,1,1,1\n" + '"' + "x" * 140_000 + '",1,1,1,1\n'
)  # fmt: skip

_NOT_AN_ANSWER = (
    Attack(
        "claims-outcomes-on-the-socket",
        "Sends frames that name outcomes, credit and faults where an answer belongs.",
        ("take-over-runner", "reported-scores"),
        maths(_CLAIMS, _WIRE),
        wall=SPLIT,
    ),
    Attack(
        "answers-in-advance",
        "Sends answers to questions that were not asked yet.",
        ("take-over-runner",),
        maths(_DESYNC, _WIRE),
        wall=SPLIT,
    ),
    Attack(
        "claims-odd-exceptions",
        "Describes an exception with a hundred types, terminal commands and no traceback.",
        ("take-over-runner", "hidden-text"),
        maths(_RAISED, _WIRE),
        wall=SPLIT,
    ),
    Attack(
        "answers-for-all-tests",
        "Keeps the sockets of all tests in the process they are forked from, and answers on them.",
        ("take-over-runner", "poison-forkserver"),
        maths("pass", _WIRE + _KEEPS_SESSIONS),
    ),
    Attack(
        "replaces-the-runner",
        "Replaces the runner's functions at import, so that every test talks to its own code.",
        ("take-over-runner", "poison-forkserver"),
        maths("pass", _WIRE + _SERVES),
        wall=SPLIT,
    ),
    Attack(
        "lies-on-the-control-socket",
        "Answers the messages that start tests with broken and surplus lines.",
        ("take-over-runner", "force-our-fault"),
        maths("pass", _WIRE + _CONTROL),
        wall=SPLIT,
    ),
    Attack(
        "floods-the-control-socket",
        "Answers the message that starts a test with megabytes and no end of line.",
        ("take-over-runner", "force-our-fault"),
        maths("pass", _WIRE + _FLOOD),
        wall=SPLIT,
    ),
    Attack(
        "passes-descriptors",
        "Sends open descriptors along with answers, and closes half of the socket.",
        ("take-over-runner", "fds"),
        maths(_DESCRIPTORS, _WIRE),
    ),
)

_OUR_FAULT = (
    Attack(
        "signals-the-keeper",
        "Sends every signal to the process that guards the sandbox.",
        ("force-our-fault", "kill-all"),
        maths(_INTERRUPT),
    ),
    Attack(
        "interrupts-the-keeper-for-ever",
        "Interrupts the keeper every 20 ms from the process that tests are forked from.",
        ("force-our-fault", "poison-forkserver"),
        maths("pass", _INTERRUPT_LATER),
    ),
    Attack(
        "starves-the-keeper",
        "Sets the keeper's limits to zero and kills the process tests are forked from.",
        ("force-our-fault", "poison-forkserver"),
        maths(_STARVE),
    ),
    Attack(
        "crowds-the-keeper-out",
        "Fills the sandbox with threads that a later test needs, and kills the template.",
        ("force-our-fault", "thread-bomb"),
        {"tiny/net.py": _CROWD},
    ),
    Attack(
        "returns-odd-parameters",
        "Returns a module with parameters of odd types and shapes, to trip the suite up.",
        ("force-our-fault", "fake-state"),
        {"fnn/model.py": "@SKELETON@" + _HALF},
        lab="fnn",
        wall=SPLIT,
    ),
    Attack(
        "hands-in-odd-results",
        "Hands in a table with endless fields and numbers that overflow.",
        ("force-our-fault", "reported-scores"),
        {"fnn/study.py": "@SKELETON@" + _ODD_STUDY, "results.csv": _ODD_CSV},
        lab="fnn",
        wall=SPLIT,
    ),
)

TAKEOVERS = (*_NOT_AN_ANSWER, *_OUR_FAULT)
