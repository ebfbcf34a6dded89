"""Activations, softmax, cross-entropy, initialisation and the MLP, in a sandbox without torch."""

import numpy as np
import pytest

from grader.suite import RemoteObject, as_array, as_number, assert_matches, expect_raises, require

NAMES = (
    "identity",
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "softplus",
    "swish",
    "gelu",
)
KINDS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")
SMOOTH = ("identity", "sigmoid", "tanh", "softplus", "swish", "gelu")
# What a student is told whose activation differs, or its derivative, or either at large inputs.
FORMULAS = {
    "identity": "f(x) = x: an array of the shape of x.",
    "sigmoid": "f(x) = 1 / (1 + exp(-x)), with a plus in the denominator.",
    "tanh": "f(x) = (exp(x) - exp(-x)) / (exp(x) + exp(-x)), which is np.tanh.",
    "relu": "f(x) = max(x, 0).",
    "leaky_relu": "f(x) = x above 0 and 0.01 x below.",
    "elu": "f(x) = x above 0 and exp(x) - 1 below.",
    "softplus": "f(x) = log(1 + exp(x)).",
    "swish": "f(x) = x sigmoid(x).",
    "gelu": "f(x) = x Phi(x) with Phi by math.erf, not the tanh form.",
}
SLOPES = {
    "identity": "The slope is 1 everywhere: an array of the shape of x.",
    "leaky_relu": "The slope is not 0 below 0.",
    "swish": "A product: its derivative has two terms.",
    "gelu": "A product: its derivative has two terms.",
}
AT_X = "Differentiate the formula by hand; the derivative is taken at x, not at f(x)."
STABLE = {
    "sigmoid": "Let exponents never be positive: exp(-|x|), and two cases.",
    "softplus": "log(1 + e^x) = max(x, 0) + log1p(exp(-|x|)).",
    "swish": "x sigmoid(x) is as stable as your sigmoid.",
    "elu": "np.where computes both sides: keep exp from the large x that it does not need.",
}
STEP = 1e-6  # of central differences: their error is about 1e-10 for values near 1


def each(hints, otherwise=None):
    """Return the activations as parameters, each with a hint of its own."""
    return [
        pytest.param(name, marks=pytest.mark.hint(hints.get(name, otherwise)), id=name)
        for name in NAMES
    ]


# ------------------------------------------------------------------------------ activations


@pytest.mark.item("activations", weight=0.5)
@pytest.mark.visibility("visible")
@pytest.mark.hint("swish is x sigmoid(x); gelu is x Phi(x) with math.erf, not the tanh form.")
def test_swish_and_gelu_at_known_points(student):
    """Swish and gelu at -1, 0.5 and 2."""
    x = np.array([-1.0, 0.5, 2.0])
    swish = np.array([-0.26894142, 0.31122967, 1.76159416])
    gelu = np.array([-0.15865525, 0.34573123, 1.95449974])
    assert_matches(student.layers.activation("swish", x), swish, rtol=1e-7)
    assert_matches(student.layers.activation("gelu", x), gelu, rtol=1e-7)


@pytest.mark.item("activations")
@pytest.mark.parametrize("name", each(FORMULAS))
def test_activation(student, reference, rng, name):
    """An activation equals its formula on arrays of one, two and three axes."""
    for shape in ((7,), (5, 4), (2, 3, 4)):
        x = rng.normal(0, 2, shape)
        assert_matches(student.layers.activation(name, x), reference.layers.activation(name, x))


@pytest.mark.item("activations")
@pytest.mark.parametrize("name", each(SLOPES, AT_X))
def test_activation_grad(student, reference, rng, name):
    """A derivative equals its formula on arrays of one and three axes."""
    for shape in ((7,), (2, 3, 4)):
        x = rng.normal(0, 2, shape)
        expected = reference.layers.activation_grad(name, x)
        assert_matches(student.layers.activation_grad(name, x), expected)


@pytest.mark.item("activations")
@pytest.mark.hint("Compare activation_grad with (f(x + h) - f(x - h)) / 2h for a small h.")
def test_derivatives_are_the_slopes_of_the_own_activations(student, rng):
    """Each derivative is the slope of the submission's own activation."""
    x = rng.normal(0, 1.5, (4, 5))
    for name in SMOOTH:
        above = as_array(student.layers.activation(name, x + STEP), x.shape, np.float64)
        below = as_array(student.layers.activation(name, x - STEP), x.shape, np.float64)
        slope = (above - below) / (2 * STEP)
        assert_matches(student.layers.activation_grad(name, x), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.item("activations", weight=1.5)
@pytest.mark.hint("At x = 0 take the derivative from the left: relu 0, leaky_relu 0.01, elu 1.")
def test_derivatives_at_the_kink(student):
    """At 0 the derivative is the one from the left."""
    x = np.array([-1.0, 0.0, 1.0])
    for name, expected in (
        ("relu", [0.0, 0.0, 1.0]),
        ("leaky_relu", [0.01, 0.01, 1.0]),
        ("elu", [np.exp(-1.0), 1.0, 1.0]),
    ):
        assert_matches(student.layers.activation_grad(name, x), np.array(expected))


@pytest.mark.item("activations")
@pytest.mark.parametrize("name", each(STABLE, "exp(1000) is inf, and inf - inf or 0 inf is NaN."))
def test_activations_survive_large_inputs(student, reference, name):
    """At -1000 and 1000 value and derivative are finite and right."""
    x = np.array([-1000.0, -50.0, 50.0, 1000.0])
    assert_matches(student.layers.activation(name, x), reference.layers.activation(name, x))
    expected = reference.layers.activation_grad(name, x)
    assert_matches(student.layers.activation_grad(name, x), expected)


@pytest.mark.item("activations", weight=0.5)
@pytest.mark.depends("test_swish_and_gelu_at_known_points")
@pytest.mark.hint("End activation and activation_grad with raise ValueError(...).")
def test_unknown_activation_is_refused(student):
    """An unknown activation raises ValueError, its derivative too."""
    x = np.zeros(3)
    with expect_raises(ValueError):
        student.layers.activation("no such activation", x)
    with expect_raises(ValueError):
        student.layers.activation_grad("no such activation", x)


# ------------------------------------------------------------------------------ softmax and loss


@pytest.mark.item("softmax-loss")
@pytest.mark.visibility("visible")
@pytest.mark.hint("exp(z_k) divided by the sum over the row.")
def test_softmax_by_hand(student):
    """softmax(1.2, 4.0, 0.2)."""
    z = np.array([[1.2, 4.0, 0.2]])
    assert_matches(student.layers.softmax(z), np.array([[0.05614, 0.92321, 0.02065]]), atol=5e-6)


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("Use axis=-1 and keepdims=True: the sum runs over the last axis, whatever it is.")
def test_softmax_along_the_last_axis(student, reference, rng):
    """Softmax works along the last axis of arrays of one, two and three axes."""
    for shape in ((6,), (5, 3), (2, 4, 3)):
        z = rng.normal(0, 3, shape)
        assert_matches(student.layers.softmax(z), reference.layers.softmax(z))


@pytest.mark.item("softmax-loss", weight=2)
@pytest.mark.hint("Subtract the largest logit of the row before exponentiating.")
def test_softmax_survives_large_logits(student, reference, rng):
    """Softmax stays right for logits near 1000 and -1000."""
    for centre in (1000.0, -1000.0):
        z = rng.normal(centre, 3, (4, 3))
        assert_matches(student.layers.softmax(z), reference.layers.softmax(z))


@pytest.mark.item("softmax-loss")
@pytest.mark.hint(
    "Subtract the largest logit of the row: any other leaves exponents that overflow."
)
def test_softmax_survives_logits_far_apart(student, reference, rng):
    """Softmax stays right for logits thousands apart."""
    z = rng.uniform(-4000, 4000, (3, 5))
    assert_matches(student.layers.softmax(z), reference.layers.softmax(z))


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("Subtract each row's own maximum, not the largest number of the whole array.")
def test_softmax_rows_do_not_disturb_each_other(student, reference, rng):
    """A row near -1000 is right beside a row near 1000, in softmax and its log."""
    z = rng.normal(0, 1, (3, 4)) + np.array([[1000.0], [0.0], [-1000.0]])
    assert_matches(student.layers.softmax(z), reference.layers.softmax(z))
    assert_matches(student.layers.log_softmax(z), reference.layers.log_softmax(z))


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("log softmax(z) = z - logsumexp(z); logsumexp needs the maximum subtracted too.")
def test_log_softmax(student, reference, rng):
    """log_softmax equals its formula, also near 1000."""
    for centre in (0.0, 1000.0):
        for shape in ((5, 3), (2, 4, 3)):
            z = rng.normal(centre, 3, shape)
            assert_matches(student.layers.log_softmax(z), reference.layers.log_softmax(z))
    large = np.array([[1000.0, 1001.0, 1002.0]])
    assert_matches(student.layers.log_softmax(large), large - 1002.4076059644444)


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("Do not take the log of softmax: it is 0 there. Subtract logsumexp instead.")
def test_log_softmax_stays_finite_where_softmax_is_zero(student, reference, rng):
    """log_softmax is finite for logits thousands apart."""
    z = rng.uniform(-4000, 4000, (3, 5))
    assert_matches(student.layers.log_softmax(z), reference.layers.log_softmax(z))


def loss_and_gradient(answer, shape):
    """Take what cross_entropy returned for a (float, gradient) pair."""
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (loss, gradient)")
    return as_number(answer[0]), as_array(answer[1], shape, np.float64)


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("The loss is minus log softmax at the label; for two classes it is the BCE.")
def test_cross_entropy_by_hand(student):
    """Known losses: -log 0.7, and two classes with logit 1.5."""
    for logits, label, expected in (
        (np.log([0.7, 0.2, 0.1]), 0, 0.356674944),
        ([0.0, 1.5], 0, 1.701413278),
        ([0.0, 1.5], 1, 0.201413278),
    ):
        answer = student.layers.cross_entropy(np.array([logits]), np.array([label]))
        loss, _ = loss_and_gradient(answer, (1, len(logits)))
        assert_matches(loss, expected, rtol=1e-8)


@pytest.mark.item("softmax-loss", weight=3)
@pytest.mark.hint("Loss: the mean over the batch. Gradient: (softmax - onehot) / N.")
def test_cross_entropy(student, reference, rng):
    """cross_entropy gives the mean loss and its gradient, near 1000 too."""
    for n, centre in ((6, 0.0), (1, 0.0), (5, 1000.0)):
        logits, labels = rng.normal(centre, 3, (n, 4)), rng.integers(0, 4, n)
        answer = student.layers.cross_entropy(logits, labels)
        loss, gradient = loss_and_gradient(answer, logits.shape)
        expected = reference.layers.cross_entropy(logits, labels)
        assert_matches(loss, expected[0])
        assert_matches(gradient, expected[1])


@pytest.mark.item("softmax-loss")
@pytest.mark.hint("The gradient must be that of the mean loss: 1/N belongs into it, once.")
def test_cross_entropy_gradient_is_the_slope_of_the_own_loss(student, rng):
    """The gradient equals central differences of the submission's own loss."""
    logits, labels = rng.normal(0, 2, (3, 4)), rng.integers(0, 4, 3)

    def loss(z):
        return loss_and_gradient(student.layers.cross_entropy(z, labels), z.shape)

    _, gradient = loss(logits)
    assert_matches(gradient, slopes(lambda z: loss(z)[0], logits), rtol=1e-6, atol=1e-8)


def slopes(function, at):
    """Return central differences of a number with respect to every entry of an array."""
    result = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        nudge = np.zeros_like(at)
        nudge[index] = STEP
        result[index] = (function(at + nudge) - function(at - nudge)) / (2 * STEP)
    return result


# ------------------------------------------------------------------------------ initialisation

FAN_IN, FAN_OUT = 400, 300
DRAWS = FAN_IN * FAN_OUT


def expected_std(kind, fan_in=FAN_IN, fan_out=FAN_OUT):
    """Return the standard deviation of an initialisation."""
    return np.sqrt(2 / (fan_in + fan_out) if kind.startswith("xavier") else 2 / fan_in)


@pytest.mark.item("initialisation")
@pytest.mark.hint(
    "The matrix is [fan_out, fan_in]; take every number from rng, none from np.random."
)
def test_initialise_draws_from_the_generator_alone(student):
    """Shape [fan_out, fan_in]; the same generator state gives the same weights."""
    for kind in KINDS:
        one, same, other = (
            as_array(
                student.layers.initialise(kind, 5, 3, student.numpy_generator(seed)),
                (3, 5),
                np.float64,
            )
            for seed in (1, 1, 2)
        )
        require(np.array_equal(one, same), "one generator state gave two matrices")
        require(not np.array_equal(one, other), "two generator states gave one matrix")


@pytest.mark.item("initialisation", weight=2)
@pytest.mark.hint(
    "He: randn TIMES sqrt(2 / fan_in). Xavier: 2 / (fan_in + fan_out) is the variance."
)
@pytest.mark.parametrize("kind", KINDS)
def test_initialise_has_the_right_spread(student, seed, kind):
    """Mean 0 and the standard deviation of the formula."""
    # 120,000 draws: the sample std has a relative sd of 0.0021 (normal) or 0.0013 (uniform), the
    # mean one of 1/346 std. Bounds at 7 sd or more: a right answer fails less than once in 1e11.
    generator = student.numpy_generator(seed)
    w = student.layers.initialise(kind, FAN_IN, FAN_OUT, generator)
    w = as_array(w, (FAN_OUT, FAN_IN), np.float64)
    std = expected_std(kind)
    require(abs(w.std() / std - 1) < 0.015, f"std {w.std():.4g}, expected {std:.4g}")
    require(abs(w.mean()) < 7 * std / np.sqrt(DRAWS), "the mean is not 0")


@pytest.mark.item("initialisation")
@pytest.mark.hint("uniform draws from U(-a, a) with a = std sqrt 3; normal has tails beyond it.")
@pytest.mark.parametrize("kind", KINDS)
def test_initialise_has_the_right_distribution(student, seed, kind):
    """Uniform ends at its bound, normal does not."""
    # A normal number lies beyond sqrt(3) sd with probability 0.0833: of 120,000 draws a share of
    # 0.0833 +- 0.0008, so bounds of +-0.007 are 8 sd. All draws of a uniform below 0.999 a:
    # 0.999^120000 < 1e-52.
    generator = student.numpy_generator(seed)
    w = student.layers.initialise(kind, FAN_IN, FAN_OUT, generator)
    w = np.abs(as_array(w, (FAN_OUT, FAN_IN), np.float64))
    bound = expected_std(kind) * np.sqrt(3)
    if kind.endswith("uniform"):
        require(0.999 * bound < w.max() <= bound, f"largest {w.max():.4g}, bound {bound:.4g}")
    else:
        share = np.mean(w > bound)
        require(abs(share - 0.0833) < 0.007, f"{share:.2%} beyond sqrt(3) sd, expected 8.3 %")


@pytest.mark.item("initialisation")
@pytest.mark.hint("With He weights a signal keeps its size through relu layers. Check the factor.")
def test_he_keeps_a_signal_alive_through_ten_layers(student, rng):
    """After ten relu layers of 300 units the signal has neither exploded nor died."""
    # log of the std has sd about 0.2 after ten layers of 300 units: [0.15, 3.5] is 8 sd wide of
    # the expected 0.7 at the lower end and 8 at the upper.
    h = rng.standard_normal((64, 300))
    for _ in range(10):
        generator = student.numpy_generator(int(rng.integers(2**31)))
        w = student.layers.initialise("he_normal", 300, 300, generator)
        h = np.maximum(h @ as_array(w, (300, 300), np.float64).T, 0)
    require(0.15 < h.std() < 3.5, f"the signal's std after ten layers is {h.std():.3g}")


@pytest.mark.item("initialisation", weight=0.5)
@pytest.mark.depends("test_initialise_draws_from_the_generator_alone")
@pytest.mark.hint("Raise ValueError for a kind that is not in INITIALISATIONS.")
def test_unknown_initialisation_is_refused(student):
    """An unknown kind raises ValueError, one of which half is known too."""
    for kind in ("no such kind", "he_cauchy", "lecun_normal"):
        with expect_raises(ValueError):
            student.layers.initialise(kind, 3, 3, student.numpy_generator(0))


# ------------------------------------------------------------------------------ the MLP


def as_parameters(value, shapes):
    """Take a list of arrays for what `parameters` or `backward` must return."""
    require(type(value) in (list, tuple), "expected a list of arrays")
    require(len(value) == len(shapes), f"expected {len(shapes)} arrays, got {len(value)}")
    return [as_array(array, s, np.float64) for array, s in zip(value, shapes, strict=True)]


def shapes_of(sizes):
    """Return the shapes of W_1, b_1, W_2, b_2, ..."""
    return [s for a, b in zip(sizes[:-1], sizes[1:], strict=True) for s in ((b, a), (b,))]


def make_mlp(student, sizes, name, seed):
    """Make an MLP of the student's; AssertionError if it is a plain value."""
    mlp = student.layers.MLP(sizes, name, student.numpy_generator(seed))
    require(isinstance(mlp, RemoteObject), "MLP(...) gave a plain value")
    return mlp


def twins(student, reference, rng, sizes, name):
    """Make a network of the student's and one of ours with the same random parameters."""
    values = [rng.normal(0, 0.7, shape) for shape in shapes_of(sizes)]
    theirs = make_mlp(student, sizes, name, 0)
    ours = reference.layers.MLP(sizes, name, np.random.default_rng(0))
    theirs.set_parameters(values)
    ours.set_parameters(values)
    return theirs, ours


@pytest.mark.item("backpropagation")
@pytest.mark.visibility("visible")
@pytest.mark.hint("h = relu(W x) = (2, 0), y = V h = -2; dL/dy = y - t = -3.")
def test_a_network_by_hand(student):
    """A relu network worked by hand, forward and backward."""
    mlp = make_mlp(student, [2, 2, 1], "relu", 0)
    w, v = np.array([[1.0, -1.0], [0.0, 2.0]]), np.array([[-1.0, 1.0]])
    mlp.set_parameters([w, np.zeros(2), v, np.zeros(1)])
    y = as_array(mlp.forward(np.array([[1.0, -1.0]])), (1, 1), np.float64)
    assert_matches(y, np.array([[-2.0]]))
    dw, db, dv, dc = as_parameters(mlp.backward(y - 1.0), shapes_of([2, 2, 1]))
    assert_matches(dw, np.array([[3.0, -3.0], [0.0, 0.0]]))
    assert_matches(db, np.array([3.0, 0.0]))
    assert_matches(dv, np.array([[-6.0, 0.0]]))
    assert_matches(dc, np.array([-3.0]))


@pytest.mark.item("backpropagation", weight=0.5)
@pytest.mark.hint(
    "parameters() is [W_1, b_1, W_2, b_2, ...], W_l [d_l, d_{l-1}]; biases start at 0."
)
def test_parameters_have_the_order_and_shapes_of_the_handout(student):
    """parameters() lists weights and biases from input to output; biases are 0."""
    for sizes in ([3, 7, 2], (4, 5, 6, 1)):
        mlp = make_mlp(student, sizes, "tanh", 1)
        arrays = as_parameters(mlp.parameters(), shapes_of(sizes))
        require(all(not b.any() for b in arrays[1::2]), "biases must start from 0")
        require(all(w.all() for w in arrays[0::2]), "weights must be drawn, not 0")


@pytest.mark.item("initialisation")
@pytest.mark.hint("he_normal for relu, leaky_relu, elu, swish, gelu; xavier_normal for all others.")
@pytest.mark.parametrize(
    ("name", "kind"), [("relu", "he_normal"), ("tanh", "xavier_normal"), ("gelu", "he_normal")]
)
def test_mlp_starts_from_the_right_initialisation(student, seed, name, kind):
    """MLP picks He for rectifiers and Xavier for the rest."""
    # Bounds as in test_initialise_has_the_right_spread.
    mlp = make_mlp(student, [FAN_IN, FAN_OUT, 1], name, seed)
    w = as_parameters(mlp.parameters(), shapes_of([FAN_IN, FAN_OUT, 1]))[0]
    std = expected_std(kind)
    require(abs(w.std() / std - 1) < 0.015, f"std {w.std():.4g}, expected {std:.4g}")


@pytest.mark.item("backpropagation")
@pytest.mark.hint("Each hidden layer is activation(h W^T + b); the last layer has no activation.")
@pytest.mark.parametrize("name", ["tanh", "relu", "softplus", "sigmoid"])
def test_forward(student, reference, rng, name):
    """Forward equals the reference with the same parameters, biases included."""
    for sizes in ([3, 2], [3, 6, 5, 2]):
        theirs, ours = twins(student, reference, rng, sizes, name)
        x = rng.normal(0, 1, (5, 3))
        assert_matches(theirs.forward(x), ours.forward(x))


@pytest.mark.item("backpropagation")
@pytest.mark.hint("XOR = AND(NAND, OR): two sigmoid units feed one. Check how biases are added.")
def test_xor_of_three_sigmoid_units(student):
    """A network with the known weights computes XOR."""
    mlp = make_mlp(student, [2, 2, 1], "sigmoid", 0)
    hidden, bias = np.array([[20.0, 20.0], [-20.0, -20.0]]), np.array([-10.0, 30.0])
    mlp.set_parameters([hidden, bias, np.array([[20.0, 20.0]]), np.array([-30.0])])
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    z = as_array(mlp.forward(corners), (4, 1), np.float64)
    y = student.layers.activation("sigmoid", z)
    expected = np.array([[0.0], [1.0], [1.0], [0.0]])
    assert_matches(y, expected, atol=1e-4)


@pytest.mark.item("backpropagation", weight=2)
@pytest.mark.hint("Multiply by activation'(a) at every hidden layer, the last hidden one too.")
@pytest.mark.parametrize("name", ["tanh", "relu", "swish", "sigmoid"])
def test_backward(student, reference, rng, name):
    """Gradients of a network of three hidden layers equal the reference's."""
    theirs, ours = twins(student, reference, rng, [3, 6, 5, 4, 2], name)
    x, dy = rng.normal(0, 1, (7, 3)), rng.normal(0, 1, (7, 2))
    as_array(theirs.forward(x), (7, 2), np.float64)
    ours.forward(x)
    expected = ours.backward(dy)
    gradients = as_parameters(theirs.backward(dy), [g.shape for g in expected])
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_matches(gradient, wanted)


@pytest.mark.item("backpropagation")
@pytest.mark.hint("Check each gradient against central differences of your own forward.")
def test_backward_is_the_slope_of_the_own_forward(student, rng):
    """Every gradient equals central differences of the submission's own forward."""
    sizes = [2, 4, 3, 1]
    shapes = shapes_of(sizes)
    values = [rng.normal(0, 0.8, shape) for shape in shapes]
    x, dy = rng.normal(0, 1, (4, 2)), rng.normal(0, 1, (4, 1))
    mlp = make_mlp(student, sizes, "tanh", 0)

    def loss(arrays):
        mlp.set_parameters(arrays)
        return float(np.sum(as_array(mlp.forward(x), (4, 1), np.float64) * dy))

    loss(values)
    gradients = as_parameters(mlp.backward(dy), shapes)
    for place, gradient in enumerate(gradients):

        def varied(array, place=place):
            return loss([*values[:place], array, *values[place + 1 :]])

        assert_matches(gradient, slopes(varied, values[place]), rtol=1e-6, atol=1e-7)


@pytest.mark.item("backpropagation")
@pytest.mark.hint("Sum over the batch; dy already holds the 1/N of a mean loss.")
def test_backward_sums_over_the_batch(student, rng):
    """The gradient of a batch is the sum of the gradients of its examples."""
    sizes = [3, 5, 2]
    mlp = make_mlp(student, sizes, "tanh", 3)
    x, dy = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (4, 2))

    def gradients(rows):
        as_array(mlp.forward(x[rows]), (len(x[rows]), 2), np.float64)
        return as_parameters(mlp.backward(dy[rows]), shapes_of(sizes))

    singles = [gradients(slice(n, n + 1)) for n in range(4)]
    for place, whole in enumerate(gradients(slice(None))):
        require(bool(np.any(whole)), "a gradient is 0 everywhere")
        assert_matches(whole, np.sum([single[place] for single in singles], axis=0))


@pytest.mark.item("backpropagation", weight=0.5)
@pytest.mark.hint("backward belongs to the latest forward and changes no parameter.")
def test_backward_belongs_to_the_latest_forward(student, reference, rng):
    """A second forward replaces the first, and backward changes no parameter."""
    theirs, ours = twins(student, reference, rng, [3, 5, 2], "tanh")
    first, second, dy = (rng.normal(0, 1, shape) for shape in ((6, 3), (4, 3), (4, 2)))
    theirs.forward(first)
    theirs.forward(second)
    ours.forward(second)
    expected = ours.backward(dy)
    gradients = as_parameters(theirs.backward(dy), [g.shape for g in expected])
    for gradient, wanted in zip(gradients, expected, strict=True):
        assert_matches(gradient, wanted)
    after = as_parameters(theirs.parameters(), [g.shape for g in expected])
    for value, wanted in zip(after, ours.parameters(), strict=True):
        assert_matches(value, wanted)


@pytest.mark.item("backpropagation")
@pytest.mark.hint("Loss, backward and step must fit together: test each, then train on 4 points.")
def test_the_pieces_learn_together(student, reference, rng):
    """MLP, cross_entropy and a gradient step learn which side of a circle a point lies on."""
    # From 300 starts the reference's loss after 150 steps is 0.024 on average and 0.094 at worst;
    # the bound is 0.35, chance 0.69. The step itself is ours: this test is about the gradients.
    x = rng.uniform(-1, 1, (64, 2))
    labels = (np.hypot(*x.T) > 0.8).astype(np.int64)
    sizes = [2, 16, 2]
    mlp = make_mlp(student, sizes, "tanh", int(rng.integers(2**31)))
    weights = as_parameters(mlp.parameters(), shapes_of(sizes))
    states = [None] * len(weights)
    loss = np.inf
    for _ in range(150):
        logits = as_array(mlp.forward(x), (64, 2), np.float64)
        answer = student.layers.cross_entropy(logits, labels)
        loss, dlogits = loss_and_gradient(answer, logits.shape)
        gradients = as_parameters(mlp.backward(dlogits), shapes_of(sizes))
        for place, gradient in enumerate(gradients):
            weights[place], states[place] = reference.optim.step(
                "adam", weights[place], gradient, states[place], lr=0.05
            )
        mlp.set_parameters(weights)
    require(loss < 0.35, f"the loss after 150 steps is {loss:.3f}")
