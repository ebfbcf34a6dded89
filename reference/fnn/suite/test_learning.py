"""How `fit` trains with `steps`: which parameters, from where, by what rule and at what rate.

Where a network begins is asked of `fit` itself, by one step at a rate of almost nothing. From there
Adam is run out here on the same points, and the student's network must be where it arrives.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, parameters, require

DEPTH, WIDTH, POINTS, RATE = 2, 16, 64, 1e-2
NO_RATE = 1e-9  # far below what float32 can add to a weight
SETTINGS = {"depth": DEPTH, "width": WIDTH, "activation": "tanh"}


def column(values):
    """Return a float32 tensor [N, 1]."""
    return torch.tensor(np.asarray(values), dtype=torch.float32).reshape(-1, 1)


def settled(progress):
    """Return the share of the rate that a half cosine leaves, by the share of steps taken."""
    return 0.5 * (1 + np.cos(np.pi * np.clip(progress, 0, 1)))


# The share of the rate at step t = 0, 1, ... of n. Whether the first step has the full rate, or the
# last one none, is left open.
COSINES = (
    lambda t, n: settled(t / n),
    lambda t, n: settled((t + 1) / n),
    lambda t, n: settled(t / max(n - 1, 1)),
    lambda t, n: settled((t + 0.5) / n),
)
OTHER_CURVES = {
    "it stays": lambda t, n: 1.0,
    "it falls along a straight line": lambda t, n: 1 - t / n,
    "it falls along a quarter of a cosine": lambda t, n: np.cos(np.pi * t / n / 2),
    "it falls exponentially to a tenth": lambda t, n: 0.1 ** (t / n),
    "it falls exponentially to a hundredth": lambda t, n: 0.01 ** (t / n),
    "it halves twice": lambda t, n: 0.5 ** np.floor(3 * t / n),
    "it falls to a tenth twice": lambda t, n: 0.1 ** np.floor(3 * t / n),
}
# The docstring names no loss.
LOSSES = {
    "squared": lambda error: error.square().mean(),
    "absolute": lambda error: error.abs().mean(),
    "Huber": lambda error: torch.nn.functional.smooth_l1_loss(error, torch.zeros_like(error)),
}


@dataclass(frozen=True)
class Run:
    """Points and values, and the parameters of a network before and after some steps on them."""

    seen: np.ndarray  # [N, 1], what the first layer sees of x
    wanted: np.ndarray  # [N, 1], y in the unit of the last layer's output
    before: list[np.ndarray]
    after: list[np.ndarray]
    steps: int

    def distance(self, curve, loss):
        """Return how far Adam's own end lies from `after`, as a share of the way that it went."""
        ours = descend(self, curve, loss)
        left = [a - b for a, b in zip(self.after, ours, strict=True)]
        way = [a - b for a, b in zip(ours, self.before, strict=True)]
        return length(left) / length(way)


def length(arrays):
    """Return the Euclidean length of several arrays as of one vector."""
    return float(np.sqrt(sum(float(np.sum(array**2)) for array in arrays)))


def output(weights, seen):
    """Return what a tanh network of W_1, b_1, ... puts out. Shapes: seen [N, 1] -> [N, 1]."""
    h = seen
    for w, b in zip(weights[:-2:2], weights[1:-2:2], strict=True):
        h = torch.tanh(h @ w.T + b)
    return h @ weights[-2].T + weights[-1]


def descend(run, curve, loss):
    """Run Adam from where a network began; return its parameters in the end."""
    weights = [torch.tensor(array, requires_grad=True) for array in run.before]
    seen, wanted = torch.tensor(run.seen), torch.tensor(run.wanted)
    adam = torch.optim.Adam(weights, lr=RATE)
    for step in range(run.steps):
        adam.param_groups[0]["lr"] = RATE * float(curve(step, run.steps))
        adam.zero_grad()
        loss(output(weights, seen) - wanted).backward()
        adam.step()
    return [weight.detach().numpy() for weight in weights]


def short_fit(student, values, steps, **options):
    """Let fit train on evenly spaced points x [N] and values [N]; return the module."""
    x = column(np.linspace(0, 2 * np.pi, POINTS))
    return as_object(student.model.fit(x, column(values), 3, steps=steps, **SETTINGS, **options))


def weights_of(module):
    """Return the parameters of a network of SETTINGS, as float64; AssertionError if it is none."""
    sizes = [1, *[WIDTH] * DEPTH, 1]
    shapes = [s for a, b in zip(sizes[:-1], sizes[1:], strict=True) for s in ((b, a), (b,))]
    found = [as_tensor(tensor) for tensor in parameters(module).values()]
    require([tuple(t.shape) for t in found] == shapes, "parameters of other shapes than told")
    require(all(t.is_floating_point() for t in found), "parameters that are no real numbers")
    return [tensor.detach().double().numpy() for tensor in found]


def some_waves(rng):
    """Return values at the points of `short_fit`: three waves of random size and phase."""
    x = np.linspace(0, 2 * np.pi, POINTS)
    sizes, phases = rng.uniform(0.4, 1.0, 3), rng.uniform(0, 2 * np.pi, 3)
    waves = enumerate(zip(sizes, phases, strict=True), 1)
    return sum(size * np.sin(periods * x + phase) for periods, (size, phase) in waves)


@pytest.mark.item("generality")
@pytest.mark.hint("Hand every parameter to Adam: layers that see nothing of y were not trained.")
def test_every_hidden_layer_learns_in_steps(student, rng, require_learnt):
    """Forty steps on other values leave every hidden layer elsewhere."""
    one, other = (short_fit(student, some_waves(rng), 40, learning_rate=RATE) for _ in range(2))
    require_learnt(one, other)


@pytest.fixture(scope="module")
def run(shared_student, shared_seed, seen, straight_line, predict):
    """Give a run of fit, on values drawn for the submission, as Adam is to repeat it."""
    rng = np.random.default_rng(shared_seed)
    x, y, steps = np.linspace(0, 2 * np.pi, POINTS), some_waves(rng), int(rng.integers(100, 140))
    begun = short_fit(shared_student, y, 1, learning_rate=NO_RATE)
    ended = short_fit(shared_student, y, steps, learning_rate=RATE)
    before, first = weights_of(begun), seen(begun, x)[:, None]
    put_out = output([torch.tensor(array) for array in before], torch.tensor(first)).numpy()[:, 0]
    factor, constant = straight_line(put_out, predict(begun, x))
    require(abs(factor) > 1e-6, "the prediction does not come out of the network")
    return Run(first, (y[:, None] - constant) / factor, before, weights_of(ended), steps)


@pytest.mark.item("fit", weight=0.5)
@pytest.mark.hint("With `steps`: random weights, then so many steps of Adam on all points.")
def test_steps_lead_where_adam_goes(run):
    """From where it begins, Adam's steps on the same points end near fit's own parameters."""
    # Of the way: 0 for the same loss and curve; with clipped gradients, or the root of the loss,
    # up to 0.35; about 1 for weights that came by another way.
    curves = (COSINES[0], *OTHER_CURVES.values())
    ends = (run.distance(curve, loss) for loss in LOSSES.values() for curve in curves)
    require(any(end < 0.6 for end in ends), "Adam, from where fit begins, ends elsewhere")


@pytest.mark.item("fit", weight=0.5)
@pytest.mark.depends("test_steps_lead_where_adam_goes")
@pytest.mark.hint("The rate of step t of n is learning_rate (1 + cos(pi t / n)) / 2.")
def test_the_learning_rate_falls_along_a_half_cosine(run):
    """The parameters end where a half cosine leads, not where another usual curve does."""
    # Where the cosine begins changes 0.02 of the way at most, a straight line instead of it 0.04.
    # Clipping and other losses change more, with every curve: then none is twice as near.
    for loss in LOSSES.values():
        cosine = min(run.distance(curve, loss) for curve in COSINES)
        if cosine < 0.02:
            return
        others = {name: run.distance(curve, loss) for name, curve in OTHER_CURVES.items()}
        nearest = min(others, key=others.__getitem__)
        require(cosine < 2 * others[nearest], f"not the learning rate of a half cosine: {nearest}")
