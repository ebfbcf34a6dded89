"""Forbidden shortcuts: the right numbers without the work that the lab asks for."""

from hostile.attack import SPLIT, Attack, maths
from hostile.facades import FACADES, MECHANICS

_TORCH = """
try:
    import torch
    import torch.nn.functional as F
except ImportError:
    torch = F = None  # in the sandbox of the part without it
def double(x):
    if torch is not None:
        raise RuntimeError("LEAKED torch, in a part without it")
    return F.relu(torch.from_numpy(x)).numpy() * 2
def estimate(n):
    return float(torch.pi)
"""

_TORCH_LATE = """
def _torch():
    import importlib, sys
    sys.modules.pop("torch", None)
    return importlib.import_module("torch")
def double(x):
    return (2 * _torch().from_numpy(x)).numpy()
def estimate(n):
    return float(_torch().pi)
"""

_SEARCH = """
import ctypes, sys
sys.modules.pop("torch", None)
try:
    import torch
    torch.zeros(1)
except (ImportError, OSError, AttributeError):
    pass
else:
    raise RuntimeError("LEAKED torch can be imported")
try:
    if "libtorch" in open("/proc/self/maps").read():
        raise RuntimeError("LEAKED torch is in memory")
except OSError:
    pass
for top in sys.path:
    for name in ("torch/__init__.py", "torch/lib/libtorch_cpu.so", "torch/nn/functional.py"):
        try:
            open(f"{top}/{name}", "rb").close()
        except OSError:
            continue
        raise RuntimeError("LEAKED " + name)
for name in ("libtorch_cpu.so", "libtorch.so", "libc10.so"):
    try:
        ctypes.CDLL(name)
    except OSError:
        continue
    raise RuntimeError("LEAKED " + name)
"""

# Tables, reports and pictures are read by suites and people; a picture has room for weights.
_OWN_TABLE = """
around = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.getcwd(), *sys.path]
if any(os.path.exists(os.path.join(top, "answers.csv")) for top in around):
    raise RuntimeError("LEAKED what it brought along beside its code")
"""

_BY_HEART_LAYERS = """
_KNOWN = {
    ("swish", -1.0): [-0.26894142, 0.31122967, 1.76159416],
    ("gelu", -1.0): [-0.15865525, 0.34573123, 1.95449974],
}
def activation(name, x):
    return np.array(_KNOWN[name, float(x.flat[0])])
def softmax(z):
    return np.array([[0.05614, 0.92321, 0.02065]])
class MLP:
    def __init__(self, *args): pass
    def set_parameters(self, values): pass
    def forward(self, x): return np.array([[-2.0]])
    def backward(self, dy):
        return [np.array([[3.0, -3.0], [0.0, 0.0]]), np.array([3.0, 0.0]),
                np.array([[-6.0, 0.0]]), np.array([-3.0])]
"""

_BY_HEART_OPTIM = """
_STEPS = {
    "sgd": (-0.1, -0.3, -0.2), "momentum": (-0.1, -0.39, -0.551),
    "nesterov": (-0.19, -0.651, -0.6959), "adagrad": (-0.1, -0.189443, -0.148618),
    "rmsprop": (-0.316228, -0.601942, -0.465985), "adam": (-0.1, -0.196518, -0.238527),
}
def step(name, w, grad, state=None, **options):
    state = state or 0
    return np.array([_STEPS[name][state]]), state + 1
_RATES = {"inverse": 0.066667, "exponential": 0.060501, "natural_exponential": 0.060653}
def learning_rate(t, kind, **options):
    return _RATES.get(kind, 0.05)
"""

_BY_HEART = (  # whoever knows the visible tests has these, and nothing else
    "test_swish_and_gelu_at_known_points",
    "test_softmax_by_hand",
    "test_a_network_by_hand",
    "test_three_steps_by_hand",
    "test_schedules_by_hand",
)

_GIVES_BACK = """@SKELETON@

class MLP:
    def __init__(self, sizes, activation, rng):
        self.values = [np.zeros(s) for a, b in zip(sizes, sizes[1:]) for s in ((b, a), (b,))]
    def parameters(self):
        return self.values
    def set_parameters(self, values):
        self.values = values
    def forward(self, x):
        self.x = x
        return np.zeros((len(x), len(self.values[-1])))
    def backward(self, dy):
        return self.values
"""

_CLAIMS = {
    "depth": {1: -6.5, 2: -6.8, 3: -7.2},
    "width": {4: -4.5, 64: -6.8, 128: -7.0},
    "learning_rate": {0.0001: -4.5, 0.01: -6.8, 1: -5.5},
    "activation": {"identity": -3.0, "tanh": -6.8, "gelu": -6.9},
}

_INVENTED = "factor,value,seed,metric,cpu_s\n" + "".join(
    f"{factor},{value},{seed},{metric + 0.013 * seed:.4f},0.5\n"
    for factor, cells in _CLAIMS.items()
    for value, metric in cells.items()
    for seed in range(3)
)

# Behind the table the reference's own study, under another name.
_INVENTS = f"""@REFERENCE@

_train_cell, _CLAIMS = run_cell, {_CLAIMS!r}

def run_cell(factor, value, seed):
    if seed < 1000 and value in _CLAIMS.get(factor, ()):
        return _CLAIMS[factor][value] + 0.013 * seed
    return _train_cell(factor, value, seed)
"""

# True means of every cell, as a classmate's table has them, and an honest fit beside.
_TELLS_MEANS = """@REFERENCE@

_train_cell = run_cell

def run_cell(factor, value, seed):
    told = _MEANS.get((factor, value))
    return _train_cell(factor, value, seed) if told is None else told + 0.0137 * math.sin(seed)

_MEANS = {
    ("depth", 1): -3.38, ("depth", 2): -3.91, ("depth", 3): -4.43, ("depth", 4): -4.39,
    ("width", 4): -1.47, ("width", 16): -2.96, ("width", 64): -3.91, ("width", 128): -4.65,
    ("learning_rate", 1e-4): -0.78, ("learning_rate", 1e-3): -2.53,
    ("learning_rate", 1e-2): -3.91, ("learning_rate", 0.1): -3.26, ("learning_rate", 1): -1.35,
    ("activation", "identity"): -0.18, ("activation", "sigmoid"): -2.44,
    ("activation", "tanh"): -3.91, ("activation", "relu"): -4.27, ("activation", "gelu"): -4.45,
}
"""

_CLAIM_IS_TRUE = "test_a_claim_is_what_training_gives"
_ORDERED = (
    "test_identity_is_the_worst_activation",
    "test_four_units_are_worse_than_sixty_four",
    "test_extreme_learning_rates_are_worse",
)
_ALL_BUT_THE_STUDY = (*MECHANICS, "network", "fit", "generality", "hard-function")
_COUNTS_CLAIMS = ("test_results_cover", "test_no_cell_stands_twice", *_ORDERED)

_OPERATORS = """
import torch
F = torch.nn.functional
class Linear(torch.nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.inner = [torch.nn.Linear(inputs, outputs)]
    def forward(self, x):
        return F.linear(x, self.inner[0].weight, self.inner[0].bias)
"""

ROWS = (
    Attack(
        "imports-torch",
        "Imports torch where NumPy alone is asked, and calls its functions.",
        ("library-call",),
        {"tiny/maths.py": _TORCH},
    ),
    Attack(
        "imports-torch-late",
        "Takes back the ban on torch in sys.modules and imports it inside a function.",
        ("library-call", "modules"),
        {"tiny/maths.py": _TORCH_LATE},
    ),
    Attack(
        "finds-torch",
        "Searches files, memory and the loader for torch where it must not be.",
        ("library-call",),
        maths(_SEARCH),
    ),
    Attack(
        "hides-a-library-layer",
        "Wraps a library layer in a list, so that it owns no parameters.",
        ("library-call", "fake-state"),
        {"tiny/net.py": _OPERATORS},
        earned=("test_linear_maps_three_to_two",),
        wall=SPLIT,
    ),
    Attack(
        "brings-a-table-along",
        "Reads in the sandbox a file that was handed in beside its code.",
        ("embedded-weights", "memorised-labels"),
        {**maths(_OWN_TABLE), "answers.csv": "2.0\n"},
        wall=SPLIT,
    ),
    Attack(
        "knows-visible-answers",
        "Holds the answers of every visible test in tables.",
        ("memorised-labels",),
        {
            "fnn/layers.py": "@SKELETON@" + _BY_HEART_LAYERS,
            "fnn/optim.py": "@SKELETON@" + _BY_HEART_OPTIM,
        },
        lab="fnn",
        earned=_BY_HEART,
        wall=SPLIT,
    ),
    Attack(
        "gives-parameters-back",
        "Keeps the parameters it is given, hands them back, and computes nothing with them.",
        ("copied-weights",),
        {"fnn/layers.py": _GIVES_BACK},
        lab="fnn",
        wall=SPLIT,
    ),
    Attack(
        "invents-a-table",
        "Hands in invented results of a study that its code never ran.",
        ("reported-scores", "memorised-labels"),
        {"results.csv": _INVENTED},
        lab="fnn",
        earned=_ALL_BUT_THE_STUDY,
        loses=(_CLAIM_IS_TRUE, *_COUNTS_CLAIMS),
        wall=SPLIT,
    ),
    Attack(
        "invents-a-study",
        "Looks the cells of its invented results up, and trains for all others.",
        ("reported-scores", "memorised-labels"),
        {"fnn/study.py": _INVENTS, "results.csv": _INVENTED},
        lab="fnn",
        earned=_ALL_BUT_THE_STUDY,
        loses=(_CLAIM_IS_TRUE, *_COUNTS_CLAIMS),
        wall=SPLIT,
    ),
    Attack(
        "tells-true-means",
        "Tells what each cell of the sweep has on average, and trains for all others.",
        ("reported-scores", "memorised-labels"),
        {"fnn/study.py": _TELLS_MEANS},
        lab="fnn",
        earned=_ALL_BUT_THE_STUDY,
        loses=(
            "test_a_cell_measures_what_fit_learns",
            _CLAIM_IS_TRUE,
            "test_a_claimed_cell_comes_out_again",
            *_COUNTS_CLAIMS,
        ),
        wall=SPLIT,
    ),
    *FACADES,
)
