"""Attacks on our own work: values that cost much to judge, and ends of the process that judges."""

from hostile.attack import SPLIT, Attack, maths

# A network that is right in its shapes and shows parameters, or gradients, that are not its own.
_NET = """
import torch
class Linear(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.own = torch.nn.Parameter(torch.ones(1))
    def forward(self, x):
        return x.sum() * self.own.expand(len(x), 2)
    def named_parameters(self, *args, **kwargs):
        return iter({shown})
"""

_WIDE = """[("weight", torch.ones(4000, 4000)), ("bias", torch.ones(4000)),
            ("more", torch.ones(4000, 4000))]"""
_INFINITE = (
    """[("weight", torch.full((2, 3), float("inf"))), ("bias", torch.full((2,), -torch.inf))]"""
)

# The grader puts x through the network that these parameters claim to be, on its own side.
_NO_GRADIENTS = """

def fit(x, y, seed, **options):
    class Hollow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.own = torch.nn.Parameter(torch.ones(1))
            self.asked = 0
        def forward(self, x):
            return x * self.own
        def named_parameters(self, *args, **kwargs):
            names = ("a", "b", "c", "d")
            shapes = ((64, 1), (64,), (1, 64), (1,))
            shown = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes]
            if self.own.grad is not None:
                shown = [torch.nn.Parameter(torch.zeros(0)) for _ in names]
                for parameter in shown:
                    parameter.grad = torch.zeros(0)
            return iter(zip(names, shown))
    return Hollow()

def predict(module, x):
    return x
"""

_BULK = """
import numpy as np
def double(x):
    return np.ones((2000, 2000))
def estimate(n):
    return np.ones((4000, 4000))
"""

_SIGNALS = """
names = [name for name in os.listdir("/proc") if name.isdigit()]
near = range(max(1, os.getpid() - 300), os.getpid() + 300)
for pid in {*map(int, names), *near, os.getppid(), @HOST@["pid"]} - {os.getpid()}:
    for number in (signal.SIGALRM, signal.SIGPROF, signal.SIGVTALRM, signal.SIGXCPU):
        try:
            os.kill(pid, number)
        except OSError:
            pass
"""

ROWS = (
    Attack(
        "shows-wide-layers",
        "Shows layers of 4,000 units where eight numbers were asked for.",
        ("trusted-work",),
        {"tiny/net.py": _NET.replace("{shown}", _WIDE)},
        earned=("test_linear_maps_three_to_two",),
        wall=SPLIT,
    ),
    Attack(
        "shows-infinite-weights",
        "Shows parameters that are infinite, for the grader to compute with.",
        ("trusted-work", "nan-inf"),
        {"tiny/net.py": _NET.replace("{shown}", _INFINITE)},
        earned=("test_linear_maps_three_to_two",),
        wall=SPLIT,
    ),
    Attack(
        "shows-gradients-of-no-size",
        "Shows gradients of size 0, for the suite to raise on and the run to be a fault of ours.",
        ("force-our-fault", "empty"),
        {"fnn/model.py": "@SKELETON@" + _NO_GRADIENTS},
        lab="fnn",
        wall=SPLIT,
    ),
    Attack(
        "answers-in-bulk",
        "Answers with the most that may cross, and with more.",
        ("trusted-work",),
        {"tiny/maths.py": _BULK},
        wall=SPLIT,
    ),
    Attack(
        "signals-our-timers",
        "Sends the signals that interrupt and end our own work to every process it can name.",
        ("force-our-fault", "trusted-work"),
        maths(_SIGNALS, "import signal"),
    ),
)
