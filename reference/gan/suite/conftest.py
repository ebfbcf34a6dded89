"""What the tests share: data drawn for the submission, and twins of a student's networks.

Networks are of a fixed structure. Their parameters come out, are set into ours, and ours generates
from noise and labels that never entered the sandbox. What a training does is compared, a few steps
at a time, with Adam's steps from the very state that the submission's game is in.
"""

import copy
import importlib
import importlib.util
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from grader.suite import (
    as_number,
    as_object,
    as_tensor,
    attribute,
    parameters,
    require,
)

# Ten steps in float32 and in float64 mostly end within 1e-3 of the way that they went. Steps of
# anything else are off by some per cent of it or more.
ROUNDING = 0.01
# Now and then rounding alone decides where steps end, as Adam makes a whole step of a slope of any
# size: a unit that was dead wakes up, a sample lies on the kink of a leaky ReLU, or the samples
# cancel in a slope. A tenth of all pieces of ten steps on images end up to 0.12 off for another
# order of a sum. So where a student's steps end elsewhere, ours are made again from states and by
# slopes that differ by rounding. Each parameter may be off by MORE times as far as it was in them,
# and the whole network in no case by more than AT_MOST of its way.
AGAIN, NOISE = 48, 1e-6  # half of them in float64
MORE, AT_MOST = 2.0, 0.3
# By Cauchy and Schwarz no parameter moves more learning rates in a step of Adam than
# (1 - b1) / sqrt((1 - b2) (1 - b1^2 / b2)), 1.86 with betas of 0.5 and 0.9.
WAY = 1.9
TRAINING_CPU_SECONDS = 90  # students are told 30: a slow machine must decide nothing
CELL_CPU_SECONDS = 60


def judge_module():
    """Return judge.py of this folder, which is no module of a package."""
    spec = importlib.util.spec_from_file_location("judge", Path(__file__).parent / "judge.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------------ what is drawn


@dataclass(frozen=True)
class Ring:
    """Gaussians on a circle, each of the standard deviation 0.1: where they lie, and samples."""

    points: torch.Tensor  # float32 [n, 2]
    centres: torch.Tensor  # [8, 2]


@pytest.fixture(scope="session")
def ring():
    """Give ``ring(rng)``: the ring of the handout, turned by an angle of the submission's own."""

    def draw(rng, n=20_000):
        angles = torch.arange(8) * math.pi / 4 + float(rng.uniform(0, 2 * math.pi))
        centres = torch.stack([angles.cos(), angles.sin()], dim=1)
        noise = torch.tensor(rng.normal(0, 0.1, (n, 2)))
        points = (centres[rng.integers(8, size=n)] + noise).float()
        return Ring(points, centres)

    return draw


@dataclass(frozen=True)
class Mixture:
    """Two Gaussians on a line: samples, and where each of three divergences has its optimum."""

    samples: torch.Tensor  # float32 [n, 1]
    shift: float
    turned: bool

    def mu(self, at_rest):
        """Return where a mean lies here that lies at `at_rest` before shift and turn."""
        return self.shift - at_rest if self.turned else self.shift + at_rest


@pytest.fixture(scope="session")
def mixture():
    """Give ``mixture(rng)``: the handout's mixture, shifted and perhaps turned round.

    Neither changes how wide the nearest Gaussian is, nor that there is one optimum.
    """

    def draw(rng, n=20_000):
        side = np.where(rng.random((n, 1)) < 0.65, -1.5, 1.5)
        x = side + rng.normal(0, 0.6, (n, 1))
        shift, turned = float(rng.uniform(-0.3, 0.3)), bool(rng.random() < 0.5)
        x = shift - x if turned else shift + x
        return Mixture(torch.tensor(x, dtype=torch.float32), shift, turned)

    return draw


@dataclass(frozen=True)
class Pictures:
    """Images of the term's set: those to train on, and those that stay out here."""

    x: torch.Tensor  # float32 [n, 196] from -1 to 1
    y: torch.Tensor  # int64 [n]
    held_x: torch.Tensor
    held_y: torch.Tensor


HELD = 1500  # images that FID is measured beside


@pytest.fixture(scope="session")
def published(reference, variant):
    """Give all images and labels of the term's set."""
    return judge_module().pictures(reference.datasets.load(variant["images"]))


@pytest.fixture(scope="session")
def images(published):
    """Give ``images(rng, n)``: a split of the submission's own, `n` images to train on or all."""

    def draw(rng, n=None):
        x, y = published
        rows = torch.tensor(rng.permutation(len(x)))
        held, train = rows[:HELD], rows[HELD:][:n]
        return Pictures(x[train], y[train], x[held], y[held])

    return draw


@pytest.fixture(scope="session")
def judge(reference, variant):
    """Give the network that was trained on the term's images."""
    files = importlib.import_module(f"{reference.datasets.__name__}.tensor_file")
    return judge_module().load_judge(variant["images"], files.read_tensors)


@pytest.fixture(scope="session")
def normal():
    """Give ``normal(rng, ...)``: normal numbers of a shape, float32 unless told otherwise."""
    return lambda rng, *shape, dtype=torch.float32: torch.tensor(rng.normal(0, 1, shape)).to(dtype)


# ------------------------------------------------------------------------------ answers


@pytest.fixture(scope="session")
def as_real():
    """Give ``as_real(answer)``: a scalar of any precision as a finite number."""

    def take(answer):
        if isinstance(answer, torch.Tensor):
            answer = answer.detach()
        return as_number(answer)

    return take


@pytest.fixture(scope="session")
def as_numbers():
    """Give ``as_numbers(answer, shape)``: a tensor of real numbers, in float64 and finite.

    In which precision a student computes is the student's own affair.
    """

    def take(answer, shape):
        found = as_tensor(answer, shape)
        require(found.is_floating_point(), f"expected real numbers, got {found.dtype}")
        return found.detach().double()

    return take


@pytest.fixture(scope="session")
def require_near():
    """Give ``require_near(found, wanted, rtol)`` for tensors of one shape, in any precision."""

    def check(found, wanted, rtol=1e-4, what="the largest error"):
        wanted = wanted.detach().double()
        error, scale = float((found - wanted).abs().max()), float(wanted.abs().max())
        require(
            error <= rtol * max(scale, 1e-6),
            f"{what} is {error:.3g} beside numbers of size {scale:.3g}",
        )

    return check


# ------------------------------------------------------------------------------ twins


def shapes_of(module):
    """Return the shapes of our own network's parameters."""
    return [tuple(parameter.shape) for parameter in module.parameters()]


def read_parameters(theirs, ours):
    """Return a student's parameters as float32, checked to be those of our network."""
    wanted = shapes_of(ours)
    size = sum(math.prod(shape) for shape in wanted)
    found = list(parameters(as_object(theirs), at_most=16 * size).values())
    shapes = [tuple(tensor.shape) for tensor in found]
    require(shapes == wanted, f"parameters of shapes {shapes}, expected {wanted}")
    tensors = [as_tensor(tensor).detach() for tensor in found]
    real = all(tensor.is_floating_point() for tensor in tensors)
    require(real, f"expected real numbers, got {[tensor.dtype for tensor in tensors]}")
    return [tensor.float() for tensor in tensors]


def set_parameters(ours, tensors):
    """Give our network these numbers."""
    with torch.no_grad():
        for mine, theirs in zip(ours.parameters(), tensors, strict=True):
            mine.copy_(theirs)


@pytest.fixture(scope="session")
def copied():
    """Give ``copied(theirs, ours)``: our network, with the parameters of a student's."""

    def copy(theirs, ours):
        set_parameters(ours, read_parameters(theirs, ours))
        return ours

    return copy


def flat(module):
    """Return all parameters of our network as one vector, float64."""
    return torch.cat([parameter.detach().flatten() for parameter in module.parameters()]).double()


def moments(optimiser, network):
    """Return the state of a student's Adam for each parameter of our network, checked.

    A state is (steps, mean of gradients, mean of their squares); None before the first step.
    """
    wanted = shapes_of(network)
    stated = as_object(optimiser).state_dict()
    require(type(stated) is dict and type(stated.get("state")) is dict, "an optimiser of torch")
    found = []
    for place, shape in enumerate(wanted):
        state = stated["state"].get(place)
        if state is None:
            found.append(None)
            continue
        require(type(state) is dict, "the state of torch.optim.Adam is a dict a parameter")
        missing = {"step", "exp_avg", "exp_avg_sq"} - state.keys()
        require(not missing, "not the state of torch.optim.Adam")
        steps = as_number(state["step"])
        pair = [as_tensor(state[key], shape).detach().float() for key in ("exp_avg", "exp_avg_sq")]
        found.append((steps, *pair))
    return found


def set_moments(optimiser, network, states):
    """Give our Adam these states."""
    for parameter, state in zip(network.parameters(), states, strict=True):
        if state is not None:
            steps, mean, square = state
            optimiser.state[parameter] = {
                "step": torch.tensor(float(steps)),
                "exp_avg": mean.clone(),
                "exp_avg_sq": square.clone(),
            }


@dataclass
class Twin:
    """A student's game and ours, which can be set to the state that the student's is in."""

    theirs: object
    ours: object  # a Game of the reference

    def follow(self):
        """Set ours to the student's parameters, moments and number of steps."""
        for name in ("generator", "critic"):
            network = getattr(self.ours, name)
            set_parameters(network, read_parameters(attribute(self.theirs, name), network))
        for name, network in (
            ("d_optimiser", self.ours.critic),
            ("g_optimiser", self.ours.generator),
        ):
            theirs = moments(attribute(self.theirs, name), network)
            set_moments(getattr(self.ours, name), network, theirs)
        steps = as_number(attribute(self.theirs, "t"))
        require(steps == int(steps) and 0 <= steps < 1e6, f"t is {steps}")
        self.ours.t = int(steps)

    def moved(self, act):
        """Let the student's game act from a state that ours has taken on; return what moved.

        That is where either network stood and how far it went, as vectors by name.
        """
        self.follow()
        networks = {name: getattr(self.ours, name) for name in ("generator", "critic")}
        before = {name: flat(network) for name, network in networks.items()}
        act(self.theirs)
        found = {}
        for name, network in networks.items():
            tensors = read_parameters(attribute(self.theirs, name), network)
            theirs = torch.cat([tensor.flatten() for tensor in tensors]).double()
            require(bool(theirs.isfinite().all()), f"the {name} has parameters that are NaN")
            found[name] = before[name], theirs - before[name]
        return found

    def require_same_move(self, act, mine=None):
        """Let both act from the student's state; the networks must end at the same place.

        `act(game)` is what the student's game does, `mine(game)` what ours does if that is called
        otherwise.
        """
        found = self.moved(act)
        before = copy.deepcopy(self.ours)
        act = mine or act
        wanted = moves(self.ours, act)
        off = {name: (move - wanted[name]).abs() for name, (_, move) in found.items()}
        way = {name: float(move.norm()) for name, move in wanted.items()}
        small = {
            name: ROUNDING * way[name] + 1e-6 * float(start.norm())
            for name, (start, _) in found.items()
        }
        left = beyond_rounding(before, act, wanted, off, small)
        for name, error in off.items():
            whole = float(error.norm())
            require(
                left[name] <= small[name] and whole <= max(small[name], AT_MOST * way[name]),
                f"the {name} moves otherwise: off by {whole / max(way[name], 1e-12):.2f} of the "
                "way that Adam goes from the same state",
            )


def moves(game, act):
    """Let our game act; return how far either network went, as vectors by name."""
    networks = {name: getattr(game, name) for name in ("generator", "critic")}
    before = {name: flat(network) for name, network in networks.items()}
    act(game)
    return {name: flat(network) - before[name] for name, network in networks.items()}


def beyond_rounding(game, act, wanted, off, small):
    """Return by name how far `off` a network is beyond what rounding may do to each parameter.

    `game` is ours in the state before `act`, in which it ends as `wanted`. It acts again and again
    from states next to that one, until what is left is `small` or for AGAIN times.
    """
    spread = {name: torch.zeros_like(error) for name, error in off.items()}
    noise = torch.Generator().manual_seed(0)
    for number in range(AGAIN + 1):
        left = {
            name: float((error - MORE * spread[name]).relu().norm()) for name, error in off.items()
        }
        if number == AGAIN or all(left[name] <= small[name] for name in off):
            return left
        near = shaken(game, noise, torch.float64 if number % 2 else torch.float32)
        for name, move in moves(near, act).items():
            spread[name] = torch.maximum(spread[name], (move - wanted[name]).abs())


def shaken(game, noise, dtype):
    """Return a copy of our game in `dtype`, whose parameters and slopes are rounded otherwise."""
    near = copy.deepcopy(game)
    sums = {}  # by parameter: the size of what is added up in its slope
    for network, optimiser in (
        (near.generator, near.g_optimiser),
        (near.critic, near.d_optimiser),
    ):
        network.to(dtype).register_forward_pre_hook(partial(in_precision, dtype))
        for layer in network.modules():
            if isinstance(layer, torch.nn.Linear):
                layer.register_forward_hook(partial(follow_slopes, sums))
        for state in optimiser.state.values():
            state.update({key: state[key].to(dtype) for key in ("exp_avg", "exp_avg_sq")})
        optimiser.register_step_pre_hook(partial(round_slopes, sums, noise))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(1 + NOISE * draw_like(parameter, noise))
    return near


def draw_like(tensor, noise):
    """Return normal numbers of a tensor's shape and type."""
    return torch.randn(tensor.shape, generator=noise, dtype=tensor.dtype)


def in_precision(dtype, _, inputs):
    """Convert what enters a network, labels apart."""
    return tuple(
        x.to(dtype) if isinstance(x, torch.Tensor) and x.is_floating_point() else x for x in inputs
    )


def follow_slopes(sums, layer, inputs, output):
    """Add up the sizes of all terms in the slopes of a layer's parameters, once they are known."""

    def add(slope):
        if torch.is_grad_enabled():  # of the penalty, whose own slope is no parameter's
            return
        terms = slope.abs()  # [n, out]
        for parameter, size in ((layer.weight, terms.T @ entered), (layer.bias, terms.sum(dim=0))):
            sums[parameter] = sums.get(parameter, 0) + size

    entered = inputs[0].detach().abs()  # [n, in]
    if output.requires_grad:
        output.register_hook(add)


def round_slopes(sums, noise, optimiser, *_):
    """Round the slopes that a step is about to be made by, as a sum of such terms is rounded."""
    for group in optimiser.param_groups:
        for parameter in group["params"]:
            if parameter in sums:
                parameter.grad += NOISE * sums[parameter] * draw_like(parameter, noise)
    sums.clear()


@pytest.fixture(scope="session")
def twin_of():
    """Give ``twin_of(theirs, ours)``."""
    return lambda theirs, ours: Twin(as_object(theirs), ours)


@pytest.fixture(scope="session")
def play():
    """Give ``play(student, twin, x, y, steps, rng, z)``: a long training, followed all the way.

    The student's game runs on in pieces of ten steps. In some of them, drawn for the submission,
    ours makes the same steps from the same state. In none may a parameter move farther than Adam
    can: whoever sets weights by hand has to do so in small steps, and is met in one of them.
    ``look(step, generator)`` sees ours now and then on the way, with the student's parameters.
    """
    piece, checked = 10, 5

    def run(student, twin, x, y, steps, rng, z, look=lambda step, generator: None):
        pieces = steps // piece
        watched = set(rng.permutation(pieces)[:checked].tolist()) | {pieces - 1}
        rest = (y if y is None else student.hold(y), piece, z)
        there = student.hold(x)
        most = piece * WAY * twin.ours.options.learning_rate
        for number in range(pieces):
            # What is asked of the student's game before and after a piece is the same in all of
            # them: nothing tells in which of them ours makes the steps, too.
            with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
                if number in watched:
                    twin.require_same_move(
                        lambda game: game.run(there, *rest), lambda game: game.run(x, y, piece, z)
                    )
                    continue
                _, move = twin.moved(lambda game: game.run(there, *rest))["generator"]
            require(float(move.abs().max()) <= most, "a parameter moved farther than Adam can")
            # Ours has the state in which this piece began.
            look(number * piece, twin.ours.generator)
        return twin.ours.generator

    return run


@pytest.fixture(scope="session")
def pictures_of():
    """Give ``pictures_of(generator, rng, count, z, y)``: samples of our twin, noise drawn here."""

    @torch.no_grad()
    def make(generator, rng, count, z, y=None):
        noise = torch.tensor(rng.normal(0, 1, (count, z)), dtype=torch.float32)
        return generator(noise, y)

    return make


# ------------------------------------------------------------------------------ cells of the study


def as_game(kind, weight):
    """Return the arguments of a game by the study's name for it, as the handout has them."""
    if kind == "clip":
        return {"kind": "wgan", "clip": 0.1, "weight": 0.0}
    return {"kind": "wgan", "weight": weight} if kind == "penalty" else {"kind": kind}


BASE = {
    "ring_kind": "penalty",
    "ring_critic_steps": 3,
    "ring_weight": 0.1,
    "image_kind": "penalty",
    "image_scale": 4.0,
    "divergence": "kl",
}
RING_STEPS, IMAGE_STEPS, GAUSSIAN_STEPS = 300, 200, 300
IMAGE_Z, IMAGE_HIDDEN = 16, 128  # of `train_images`
SAMPLES = 2000


@pytest.fixture(scope="session")
def measure_cell(reference, copied, pictures_of):
    """Give ``measure_cell(student, factor, value, seed, data, rng)``: what a cell should say.

    The student's own training makes the network, called as run_cell should call it; our twin of it
    makes the samples, and they are measured out here.
    """
    model, study = reference.model, reference.study

    def ring(student, settings, seed, data, rng):
        kind = dict(as_game(settings["ring_kind"], settings["ring_weight"]))
        game = student.model.train_ring(
            data["points"], kind.pop("kind"), seed, RING_STEPS,
            critic_steps=settings["ring_critic_steps"], **kind,
        )  # fmt: skip
        ours = copied(attribute(game, "generator"), model.Generator(2, 64, 2))
        return study.coverage(pictures_of(ours, rng, SAMPLES, 2), data["centres"])

    def image(student, settings, seed, data, rng):
        kind, scale = as_game(settings["image_kind"], 1.0), settings["image_scale"]
        kind = {"weight": 0.0, **kind}
        game = student.model.train_images(
            data["x"], data["y"], seed, critic_steps=3, total=IMAGE_STEPS, scale=scale, **kind
        )
        ours = model.Generator(IMAGE_Z, IMAGE_HIDDEN, 196, 10, scale, bounded=True)
        ours = copied(attribute(game, "generator"), ours)
        fake = pictures_of(ours, rng, len(data["test_y"]), IMAGE_Z, data["test_y"])
        statistics = reference.metrics.statistics
        real = statistics(study.features(data["test_x"]))
        return reference.metrics.fid(*real, *statistics(study.features(fake)))

    def gaussian(student, settings, seed, data, rng):
        name = settings["divergence"]
        game = student.model.fit_gaussian(data["samples"], name, seed, GAUSSIAN_STEPS)
        ours = copied(attribute(game, "generator"), model.Affine())
        return abs(float(ours.sigma.detach()))

    ways = {"ring": ring, "image": image, "divergence": gaussian}

    def measure(student, factor, value, seed, data, rng):
        settings = {**BASE, factor: value}
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            return ways[factor.partition("_")[0]](student, settings, seed, data, rng)

    return measure


@pytest.fixture(scope="session")
def run_cell():
    """Give ``run_cell(student, factor, value, seed, data)``: a cell of the student's own."""

    def run(student, *cell):
        with student.budget(cpu_seconds=CELL_CPU_SECONDS):
            return as_number(student.study.run_cell(*cell))

    return run


@pytest.fixture(scope="session")
def as_data():
    """Give ``as_data(pictures, ring, mixture)``: drawn data as run_cell gets them."""

    def convert(pictures, ring, mixture):
        return {
            "x": pictures.x,
            "y": pictures.y,
            "test_x": pictures.held_x,
            "test_y": pictures.held_y,
            "points": ring.points,
            "centres": ring.centres,
            "samples": mixture.samples,
        }

    return convert
