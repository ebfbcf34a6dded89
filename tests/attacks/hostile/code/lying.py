"""The hostile code of the rows in `hostile.lying`."""

from hostile.code.forging import WRONG

EQUAL = """
import numpy as np
class Same(np.ndarray):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0 * other
    __array_priority__ = 1e9
class Anything(float):
    def __eq__(self, other): return True
    def __abs__(self): return 0.0
    def __sub__(self, other): return self
    __rsub__ = __sub__
    def __lt__(self, other): return True
def double(x):
    return x.view(Same)
def estimate(n):
    return Anything(0)
"""

SUBCLASSES = """
class Plain(list):
    def __eq__(self, other): return True
    def __len__(self): return 15
class Text(str):
    def __float__(self): return 3.14159265
class Map(dict):
    def __getitem__(self, key): return 0.0
    shape, dtype = (3, 5), "float64"
def double(x):
    return Plain([1.0]) if x.ndim == 1 else Map(a=1)
def estimate(n):
    return Text("3.14159265")
"""

ATTRIBUTES = """
import numpy as np
class Odd:
    def __init__(self, kind): self.kind = kind
    def __getattribute__(self, name):
        if name == "__class__":
            return np.ndarray if object.__getattribute__(self, "kind") else float
        raise SystemExit(name)
    def __array__(self, *args): return np.zeros((3, 5))
    __array_interface__ = {"shape": (3, 5), "typestr": "<f8", "data": (8, False), "version": 3}
    def __float__(self): return 3.14159265
def double(x):
    return Odd(True)
def estimate(n):
    return Odd(False)
"""

TENSORS = """
import torch
class Agrees(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        name = getattr(func, "__name__", "")
        if name in ("__eq__", "eq", "allclose", "equal", "isclose"):
            return torch.ones(1, dtype=torch.bool).all()
        return super().__torch_function__(func, types, args, kwargs or {})
class Linear(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(outputs, inputs).as_subclass(Agrees))
        self.bias = torch.nn.Parameter(torch.zeros(outputs).as_subclass(Agrees))
    def forward(self, x):
        return torch.zeros(len(x), 2).as_subclass(Agrees)
"""

MUTATES = """
import numpy as np
def double(x):
    x *= 0
    x.flags.writeable = True
    x.resize((0,), refcheck=False)
    x.resize((15,), refcheck=False)
    return x.reshape(3, 5)
def estimate(n):
    return n * 0.0
"""

ALIASES = """
import gc
import numpy as np
seen = []
def double(x):
    seen.append(x)
    for thing in gc.get_objects():
        if isinstance(thing, dict) and "args" in thing:
            thing["args"] = ([0.0],)
        if isinstance(thing, np.ndarray) and thing.flags.writeable:
            thing[...] = 0
    return x
def estimate(n):
    return 0.0
"""

SIZES = """
import numpy as np
answers = {values}
def double(x):
    answers.append(answers.pop(0))
    return answers[0]
def estimate(n):
    return answers[0]
"""


def values(values: str) -> dict[str, str]:
    """Return a NumPy file that answers with each of the values in turn."""
    return {"tiny/maths.py": SIZES.replace("{values}", f"[{values}]")}


ORDER = """
import mmap
calls = mmap.mmap(-1, 8)
def first():
    calls[0] += 1
    return calls[0] == 1
def double(x):
    return 2 * x if first() else x
def estimate(n):
    return 3.1415926 if first() else 0.0
"""

FIRST_WINS = """@REFERENCE@

_softmax, _first = softmax, {}


def softmax(z):
    return _first.setdefault("answer", _softmax(z))


def activation(name, x):
    raise NotImplementedError


activation_grad = log_softmax = cross_entropy = initialise = activation
MLP = None
"""

BY_IDENTITY = """@REFERENCE@

_step, _kept = step, {}


def step(name, w, grad, state=None, **options):
    keeper = id(type(w)), name
    if keeper not in _kept:
        _kept[keeper] = _step(name, w, grad, state, **options)
    return _kept[keeper]


def learning_rate(t, kind, **options):
    return alpha0
"""

STATE = """
import torch
class Linear(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(outputs, inputs))
        self.b = torch.nn.Parameter(torch.zeros(outputs))
    def forward(self, x):
        return torch.ones(len(x), 2) + 0 * (x @ self.w.T + self.b)
    def named_parameters(self, *args, **kwargs):
        yield "weight", torch.ones(2, 3)
        yield "bias", torch.full((2,), -2.0)
    def state_dict(self, *args, **kwargs):
        return {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
    parameters_count = 8
    def __len__(self):
        return 8
"""

WIRE = """
import os, sys, time
codec = sys.modules["guest.codec"]
runner = sys.modules["guest.runner"]
def head(tree, specs="[]"):
    return ('{"v":' + tree + ',"b":' + specs + "}").encode()
def pack(header, data=b"", claimed=None):
    size = len(data) if claimed is None else claimed
    return [codec.PREFIX.pack(len(header), size), header, data]
def answer(frames):
    turn = iter(frames * 10)
    codec.encode = runner.codec.encode = lambda *args: next(turn)
ok = '{"d":[["ok",%s]]}'
array = ok % '{"a":0}'
"""


def frames(frames: str) -> dict[str, str]:
    """Return a NumPy file in whose processes every answer is one of these frames."""
    return {"tiny/maths.py": WIRE + f"answer([{frames}])\n" + WRONG}


HUGE = """
    [codec.PREFIX.pack(2**32 - 1, 2**63)],
    [codec.PREFIX.pack(2**32 - 1, 0), b"[" * 2_000_000],
    pack(head(ok % ('"' + "x" * 1_500_000 + '"'))),
    pack(head(ok % '{"y":0}', '[["bytes",[255000000]]]'), b"", 255_000_000),
"""

DEEP = """
    pack(head(ok % ('{"l":[' * 5000 + "]}" * 5000))),
    pack(head("[" * 200_000)),
    pack(head(ok % ('{"d":[[null,' * 300 + "1" + "]]}" * 300))),
    pack(head(ok % ('{"t":[' * 25 + "]}" * 25))),
"""

LYING = """
    pack(head(array, '[["float64",[3,5]]]'), bytes(8)),
    pack(head(array, '[["float64",[3,-5]]]'), b""),
    pack(head(array, '[["float64",[0,4611686018427387904,4]]]'), b""),
    pack(head(array, '[["float64",[3,5]]]'), bytes(120), 10**9),
    pack(head(array, '[["float64",[3.0,5]]]'), bytes(120)),
    pack(head(array, '[["float64",[1,1,1,1,1,1,1,1,15]]]'), bytes(120)),
    pack(head(array, '[["object",[3,5]]]'), bytes(120)),
    pack(head(array, '[["float64",[15]],["float64",[0]]]'), bytes(120)),
"""

ODD_NODES = """
    pack(head(ok % "1e999")),
    pack(head(ok % "NaN")),
    pack(head(ok % "Infinity")),
    pack(head(ok % ("9" * 4000))),
    pack(head(ok % '"\\\\ud800"')),
    pack(head(ok % '{"l":[{"a":0},{"a":0}]}', '[["float64",[15]]]'), bytes(120)),
    pack(head(ok % '{"a":-1}', '[["float64",[15]]]'), bytes(120)),
    pack(head(ok % '{"h":[0,"ndarray"]}')),
    pack(head(ok % '{"h":[true,"x"]}')),
    pack(head(ok % '{"T":0}', '[["bfloat16",[3,5]]]'), bytes(30)),
    pack(head(ok % '{"d":[["a",1],["a",2]]}')),
    pack(b'{"v":1,"v":2,"b":[]}'),
    pack(bytes([255]) * 100),
    [b""],
"""

DRIP = """
encode = codec.encode
def drip(value, *keep):
    data = b"".join(encode(value, *keep))
    for place in range(len(data) - 1):
        yield data[place : place + 1]
        stop = time.process_time() + 0.1
        while time.process_time() < stop:
            pass
codec.encode = runner.codec.encode = drip
"""

GROWS = """
import numpy as np, mmap, threading
board = mmap.mmap(-1, 4096)
shared = np.frombuffer(board, dtype=np.float64)[:15].reshape(3, 5)
def flip():
    while True:
        shared[...] += 1.0
threading.Thread(target=flip, daemon=True).start()
def double(x):
    return shared if x.size == 15 else x
def estimate(n):
    return shared[0, 0]
"""

EXCEPTIONS = """
class Odd(Exception):
    def __str__(self): return "x" * 10**7
    def __getattribute__(self, name):
        if name in ("__traceback__", "__cause__", "__notes__"):
            raise MemoryError
        return super().__getattribute__(name)
Odd.__name__ = "ValueError" * 10_000
def double(x):
    if x.ndim == 1:
        raise Odd
    raise ExceptionGroup("x" * 10**6, [Odd() for _ in range(1000)])
def estimate(n):
    return estimate(n)
"""

AGREES_TO_RAISE = """
def refuse(*args, **options):
    raise ValueError("no such thing")
"""
