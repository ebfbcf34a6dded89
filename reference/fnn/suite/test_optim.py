"""Optimisers and learning-rate schedules, in a sandbox without torch."""

import numpy as np
import pytest

from grader.suite import as_array, assert_matches, expect_raises, require

OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
SCHEDULES = ("inverse", "exponential", "natural_exponential", "cosine", "warmup")

# What a student is told whose steps differ.
FORMULAS = {
    "sgd": "w - lr g, with the lr of this step.",
    "momentum": "v <- momentum v - lr g, from v = 0, then w + v.",
    "nesterov": "v as for momentum, then w + momentum v - lr g: w is the look-ahead point.",
    "adagrad": "r <- r + g^2, from r = 0, then w - lr g / (sqrt(r) + eps).",
    "rmsprop": "r <- decay r + (1 - decay) g^2, from r = 0, then w - lr g / (sqrt(r) + eps).",
    "adam": "Divide both averages by 1 - beta^t, t = 1 at the first step; eps outside the root.",
}
SCHEDULE_FORMULAS = {
    "inverse": "alpha0 / (1 + beta t).",
    "exponential": "alpha0 beta^t: beta is the base.",
    "natural_exponential": "alpha0 exp(-beta t): beta is in the exponent.",
    "cosine": "alpha0 (1 + cos(pi t / total)) / 2: half a period, from alpha0 to 0.",
    "warmup": "alpha0 t / warmup, and alpha0 from step `warmup` on.",
}


def each(names, formulas, *marks):
    """Return the names as parameters, each with its formula for a hint."""
    return [
        pytest.param(name, marks=[pytest.mark.hint(formulas[name]), *marks], id=name)
        for name in names
    ]


def right_ones():
    """Return the optimisers, each of which is asked no more if its formula is wrong."""
    return [
        pytest.param(name, marks=pytest.mark.depends(f"test_trajectory[{name}]"), id=name)
        for name in OPTIMISERS
    ]


# Weights after steps on the gradients 1, 2, -1 from 0 with lr 0.1 and the usual constants.
BY_HAND = {
    "sgd": (-0.1, -0.3, -0.2),
    "momentum": (-0.1, -0.39, -0.551),
    "nesterov": (-0.19, -0.651, -0.6959),
    "adagrad": (-0.1, -0.189443, -0.148618),
    "rmsprop": (-0.316228, -0.601942, -0.465985),
    "adam": (-0.1, -0.196518, -0.238527),
}


def take_step(student, name, w, gradient, state, **options):
    """Call the student's step and take its answer apart; the state stays theirs."""
    answer = student.optim.step(name, w, gradient, state, **options)
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (new w, new state)")
    return as_array(answer[0], w.shape, np.float64), answer[1]


def random_options(rng):
    """Draw constants away from the defaults: a constant that is written into the code shows."""
    return {
        "lr": rng.uniform(0.01, 0.2),
        "momentum": rng.uniform(0.5, 0.95),
        "decay": rng.uniform(0.5, 0.95),
        "beta1": rng.uniform(0.5, 0.95),
        "beta2": rng.uniform(0.8, 0.99),
        "eps": rng.uniform(1e-3, 1e-1),
    }


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.visibility("visible")
@pytest.mark.parametrize("name", each(OPTIMISERS, FORMULAS))
def test_three_steps_by_hand(student, name):
    """Three steps on the gradients 1, 2, -1 from w = 0 with lr 0.1."""
    w, state = np.zeros(1), None
    for gradient, expected in zip((1.0, 2.0, -1.0), BY_HAND[name], strict=True):
        w, state = take_step(student, name, w, np.array([gradient]), state, lr=0.1)
        assert_matches(w, np.array([expected]), atol=1e-6)


@pytest.mark.item("optimisers", weight=3)
@pytest.mark.parametrize("name", each(OPTIMISERS, FORMULAS))
def test_trajectory(student, reference, rng, name):
    """Ten steps on random gradients with random constants follow the reference."""
    options = random_options(rng)
    w = ours = rng.normal(0, 1, (3, 4))
    state = our_state = None
    for _ in range(10):
        gradient = rng.normal(0, 1, w.shape)
        w, state = take_step(student, name, w, gradient, state, **options)
        ours, our_state = reference.optim.step(name, ours, gradient, our_state, **options)
        assert_matches(w, ours)


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("Take every constant that is not passed from the defaults of the docstring.")
@pytest.mark.parametrize("name", right_ones())
def test_descends_a_quadratic_valley(student, reference, rng, name):
    """Thirty steps down a valley, the gradient taken at the returned point, go where they must."""
    steepness = rng.uniform(0.5, 2.0, 5)
    w = ours = rng.uniform(1.0, 2.0, 5)
    state = our_state = None
    start = float(steepness @ w**2)
    for _ in range(30):
        w, state = take_step(student, name, w, steepness * w, state, lr=0.05)
        ours, our_state = reference.optim.step(name, ours, steepness * ours, our_state, lr=0.05)
    assert_matches(w, ours, rtol=1e-7)
    require(float(steepness @ w**2) < start, "thirty steps led upwards")


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("w <- w - lr g: with a plus the perceptron learns the wrong side.")
def test_sgd_takes_the_steps_of_the_perceptron(student):
    """On the perceptron's mistakes sgd with lr 1 ends at w = (-3, 3), b = -2."""
    points = {1: ((2, 3), 1), 2: ((2, 1), -1), 3: ((1, 0), -1)}
    w, state = np.zeros(3), None
    for visited in (1, 2, 2, 1, 3, 2):
        x, label = points[visited]
        gradient = -label * np.array([*x, 1.0])
        w, state = take_step(student, "sgd", w, gradient, state, lr=1.0)
    assert_matches(w, np.array([-3.0, 3.0, -2.0]))


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("Without bias correction the first step is far too small or too large.")
def test_first_step_of_adam_and_adagrad_ignores_the_gradients_size(student, rng):
    """The first step of adam and adagrad is lr against the gradient's sign."""
    gradient = rng.choice([-1.0, 1.0], (2, 3)) * 10 ** rng.uniform(-2, 2, (2, 3))
    for name in ("adam", "adagrad"):
        w, _ = take_step(student, name, np.zeros((2, 3)), gradient, None, lr=0.1)
        assert_matches(w, -0.1 * np.sign(gradient), rtol=1e-5)


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("eps keeps 0 / 0 away: a weight whose gradient is 0 stays where it is.")
def test_a_gradient_of_zero_moves_nothing(student, rng):
    """Where the gradient is 0 from the start the weight stays, elsewhere it moves."""
    w = rng.normal(0, 1, 4)
    gradient = np.array([0.0, 1.0, 0.0, -1.0])
    for name in OPTIMISERS:
        moved, _ = take_step(student, name, w, gradient, None, lr=0.1)
        assert_matches(moved[[0, 2]], w[[0, 2]])
        require(bool(np.all(moved[[1, 3]] != w[[1, 3]])), f"{name} did not move")


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.hint("Keep v, r, m and t in the state you return, not in global variables.")
@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_two_parameters_have_states_of_their_own(student, reference, rng, name):
    """Two weights updated in turn, each with its own state, do not disturb each other."""
    weights = [rng.normal(0, 1, (2, 2)), rng.normal(0, 1, 3)]
    ours = list(weights)
    states, our_states = [None, None], [None, None]
    for _ in range(4):
        for place in (0, 1):
            g = rng.normal(0, 1, weights[place].shape)
            weights[place], states[place] = take_step(
                student, name, weights[place], g, states[place], lr=0.1
            )
            ours[place], our_states[place] = reference.optim.step(
                name, ours[place], g, our_states[place], lr=0.1
            )
            assert_matches(weights[place], ours[place])


@pytest.mark.item("optimisers", weight=0.5)
@pytest.mark.depends("test_three_steps_by_hand[sgd]")
@pytest.mark.hint("End step with raise ValueError(...).")
def test_unknown_optimiser_is_refused(student):
    """An unknown optimiser raises ValueError."""
    with expect_raises(ValueError):
        student.optim.step("no such optimiser", np.zeros(2), np.ones(2), None, lr=0.1)


# ------------------------------------------------------------------------------ schedules


@pytest.mark.item("schedules")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Put t = 50 and alpha0 = 0.1 into the formulas of the docstring.")
def test_schedules_by_hand(student):
    """Each schedule at step 50, warm-up at step 5 of 10."""
    for t, kind, options, expected in (
        (50, "inverse", {"beta": 0.01}, 0.066667),
        (50, "exponential", {"beta": 0.99}, 0.060501),
        (50, "natural_exponential", {"beta": 0.01}, 0.060653),
        (50, "cosine", {"total": 100}, 0.05),
        (5, "warmup", {"warmup": 10}, 0.05),
    ):
        assert_matches(
            student.optim.learning_rate(t, kind, alpha0=0.1, **options), expected, atol=1e-6
        )


@pytest.mark.item("schedules")
@pytest.mark.parametrize("kind", each(SCHEDULES, SCHEDULE_FORMULAS))
def test_schedule(student, reference, rng, kind):
    """A schedule equals its formula at many steps, with random constants."""
    beta = rng.uniform(0.9, 0.99) if kind == "exponential" else rng.uniform(0.01, 0.1)
    options = {"alpha0": rng.uniform(0.05, 0.5), "beta": beta, "total": 80, "warmup": 20}
    for t in (0, 1, *map(int, rng.integers(2, 80, 5))):
        expected = reference.optim.learning_rate(t, kind, **options)
        assert_matches(student.optim.learning_rate(t, kind, **options), expected)


@pytest.mark.item("schedules")
@pytest.mark.hint("After their last step cosine stays at 0 and warmup at alpha0: use min(t, ...).")
def test_schedules_stay_at_their_end(student):
    """Past their end cosine is 0 and warmup alpha0."""
    for t in (100, 101, 250):
        rate = student.optim.learning_rate(t, "cosine", alpha0=0.1, total=100)
        assert_matches(rate, 0.0, atol=1e-9)
        rate = student.optim.learning_rate(t, "warmup", alpha0=0.1, warmup=100)
        assert_matches(rate, 0.1)


@pytest.mark.item("schedules", weight=0.5)
@pytest.mark.depends("test_schedules_by_hand")
@pytest.mark.hint("End learning_rate with raise ValueError(...).")
def test_unknown_schedule_is_refused(student):
    """An unknown schedule raises ValueError."""
    with expect_raises(ValueError):
        student.optim.learning_rate(1, "no such schedule", alpha0=0.1)
