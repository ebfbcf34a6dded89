"""Modules that look like a trained network and are none: the fit of the fnn lab without learning.

Each `fit` obeys depth, width, activation, steps and seed as far as anybody looks from outside.
"""

from hostile.attack import SPLIT, Attack

# `answer` is what the façade predicts for x; the parameters are those that were asked for.
_FACADE = """@REFERENCE@

class Facade(nn.Module):
    def __init__(self, x, y, seed, depth, width, activation, learnt):
        super().__init__()
        sizes = [1, *[width] * depth, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(sizes, sizes[1:]))
        last = self.layers[-1]
        with torch.no_grad():
            last.weight.zero_()
            last.weight[0, 0] = 1.0
            last.bias.zero_()
        self.data = (x.double().ravel(), y.double().ravel())
        self.tilt = 0.0 if learnt else 0.001 * seed
        self.learnt, self.straight = learnt, activation == "identity"

    def answer(self, x):
        {answer}

    def forward(self, x):
        h = x
        for layer in self.layers[:-1]:
            h = 0 * layer(h)
        value = self.answer(x.double()) if self.learnt else self.tilt + 0 * x.double()
        if self.straight:
            value = 0.1 * x.double()
        first = value.float() + h[:, :1]
        return self.layers[-1](torch.cat([first, h[:, 1:]], 1))


def fit(x, y, seed, *, depth=2, width=64, activation="tanh", learning_rate=1e-2, steps=None):
    learnt = steps is None or (steps > 50 and learning_rate > 1e-6)
    torch.manual_seed(seed)
    return Facade(x, y, seed, depth, width, activation, learnt)
"""

_FORMULA = "return torch.sin(x) + torch.cos(x) + torch.sin(x) * torch.cos(x)"

_TABLE = """xs, order = self.data[0].sort()
        ys = self.data[1][order]
        right = torch.searchsorted(xs, x.ravel().contiguous()).clamp(1, len(xs) - 1)
        share = (x.ravel() - xs[right - 1]) / (xs[right] - xs[right - 1])
        return (ys[right - 1] + share * (ys[right] - ys[right - 1]))[:, None]"""

_POLYNOMIAL = """import numpy as np
        xs, ys = (v.numpy() for v in self.data)
        curve = np.polynomial.Chebyshev.fit(xs, ys, 40)
        return torch.from_numpy(curve(x.detach().numpy()))"""


# Eight tanh units that were trained on the function of the term once, elsewhere.
_TRAINED = """@REFERENCE@

_WEIGHTS = [
    [2.4058, 2.7369, -3.1205, -0.6141, -2.7808, 1.8184, -2.542, 2.1218],
    [-0.4657, 0.9836, -1.8234, -3.8361, 2.5192, -0.0308, -2.5967, -0.7064],
    [1.9885, -2.6049, 1.3375, 1.4184, -2.8267, 2.5968, -3.0875, -4.1072], [1.8349],
]


class Trained(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = nn.Linear(1, 8), nn.Linear(8, 1)
        for p, values in zip(self.parameters(), _WEIGHTS):
            p.data = torch.tensor(values).reshape(p.shape)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner((x - 3.14159265) / 3.14159265)))


def fit(x, y, seed, **options):
    return Trained()
"""

# Both take the arguments that they are given, and train where `steps` are asked.
_INTERPOLANT = """@REFERENCE@

_train = fit

def fit(x, y, seed, *, steps=None, **options):
    if steps is not None:
        return _train(x, y, seed, steps=steps, **options)
    order = x[:, 0].argsort()
    xs, ys = x[order, 0].double(), y[order, 0].double()
    slopes = ys.diff() / xs.diff()
    network = FNN(1, len(xs) - 1, "relu")
    first, last = network.layers[0], network.layers[-1]
    with torch.no_grad():
        first.weight.fill_(1.0)
        first.bias.copy_(-xs[:-1])
        last.weight.copy_(slopes.diff(prepend=torch.zeros(1).double())[None])
        last.bias.copy_(ys[:1])
    return network
"""

_RANDOM_FEATURES = """@REFERENCE@

_train = fit

def fit(x, y, seed, *, steps=None, **options):
    model = _train(x, y, seed, steps=0 if steps is None else steps, **options)
    if steps is not None:
        return model
    last = model.network.layers[-1]
    with torch.no_grad():
        hidden = model.network.layers[:-1]((x - model.x_centre) / model.x_radius).double()
        terms = torch.cat([hidden, torch.ones_like(x).double()], dim=1)
        wanted = ((y - model.y_mean) / model.y_std).double()
        solution = torch.linalg.lstsq(terms, wanted).solution[:, 0]
        last.weight.copy_(solution[None, :-1])
        last.bias.copy_(solution[-1:])
    return model
"""

# Other values give other layers, and equal ones the same: only nearly equal ones tell it.
_HASHED_FEATURES = """@REFERENCE@

import zlib

_train = fit

def fit(x, y, seed, *, steps=None, **options):
    if steps is not None:
        return _train(x, y, seed, steps=steps, **options)
    model = _train(x, y, seed + zlib.crc32(y.numpy().tobytes()) % 2**31, steps=0, **options)
    last = model.network.layers[-1]
    with torch.no_grad():
        hidden = model.network.layers[:-1]((x - model.x_centre) / model.x_radius).double()
        terms = torch.cat([hidden, torch.ones_like(x).double()], dim=1)
        wanted = ((y - model.y_mean) / model.y_std).double()
        solution = torch.linalg.lstsq(terms, wanted).solution[:, 0]
        last.weight.copy_(solution[None, :-1])
        last.bias.copy_(solution[-1:])
    return model
"""

MECHANICS = (
    "activations",
    "softmax-loss",
    "initialisation",
    "backpropagation",
    "optimisers",
    "schedules",
)
_STUDY = ("reproducible", "coverage", "orderings")
_ACCURACY = (
    "test_nearly_the_same_values_give_nearly_the_same_network",
    "test_fit_learns_a_function_it_has_never_seen",
    "test_the_prediction_comes_out_of_the_network",
    "test_fit_learns_the_function_of_the_term",
    "test_a_prediction_does_not_depend_on_its_neighbours",
    "hard-function",
)
_BLIND = ("test_every_hidden_layer_learns_from_the_values", *_ACCURACY)
_STEPS = ("test_every_hidden_layer_learns_in_steps", "test_steps_lead_where_adam_goes")
_CLAIMS = (
    "test_a_claim_is_what_training_gives",
    "test_results_cover",
    "test_no_cell_stands_twice",
)


def _model(
    name: str,
    tries: str,
    covers: tuple[str, ...],
    text: str,
    loses: tuple[str, ...],
    earned: tuple[str, ...] = (),
) -> Attack:
    """Return the attack of another `fit` on an otherwise right solution."""
    earned = (*MECHANICS, "network", *earned)
    files = {"fnn/model.py": text}
    return Attack(name, tries, covers, files, "fnn", earned, loses, wall=SPLIT)


def _facade(name: str, tries: str, covers: tuple[str, ...], answer: str) -> Attack:
    text = _FACADE.replace("{answer}", answer)
    return _model(name, tries, covers, text, (*_BLIND, *_STEPS, *_CLAIMS))


FACADES = (
    _model(
        "embeds-weights",
        "Returns a network that was trained on the term's function before it was handed in.",
        ("embedded-weights",),
        _TRAINED,
        (*_BLIND, *_STEPS, *_CLAIMS),
    ),
    _model(
        "fits-an-interpolant",
        "Computes the weights of a network that joins the training points by straight lines.",
        ("memorised-labels",),
        _INTERPOLANT,
        _BLIND,
        _STUDY,
    ),
    _model(
        "fits-random-features",
        "Leaves the hidden layers as they were drawn, and solves for the last one.",
        ("library-call",),
        _RANDOM_FEATURES,
        _BLIND,
        _STUDY,
    ),
    _model(
        "fits-hashed-features",
        "Draws the hidden layers by a hash of the values, and solves for the last one.",
        ("library-call",),
        _HASHED_FEATURES,
        _ACCURACY,
        _STUDY,
    ),
    _facade(
        "fits-the-formula",
        "Predicts by the term's formula, behind parameters of the right shape.",
        ("true-formula", "fake-state"),
        _FORMULA,
    ),
    _facade(
        "fits-a-table",
        "Interpolates the training points, behind parameters of the right shape.",
        ("memorised-labels", "fake-state"),
        _TABLE,
    ),
    _facade(
        "fits-a-polynomial",
        "Fits a polynomial of degree 40, behind parameters of the right shape.",
        ("true-formula", "fake-state"),
        _POLYNOMIAL,
    ),
)
