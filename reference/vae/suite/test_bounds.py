"""The terms of both bounds, and their slopes: by hand, on drawn numbers, and by what must hold."""

import itertools

import numpy as np
import pytest

from grader.suite import as_array, assert_matches, require, require_unchanged

HUGE = 1000.0  # logits at which a sigmoid rounds to 0 and 1, and its exponential overflows


@pytest.fixture
def normal(rng):
    """Give ``normal(*shape)``: normal numbers."""
    return lambda *shape: rng.normal(size=shape)


# ------------------------------------------------------------------------------ reparameterisation


@pytest.mark.item("reparameterisation")
@pytest.mark.visibility("visible")
@pytest.mark.hint("sigma is exp(logvar / 2): logvar is the logarithm of its square.")
def test_reparameterise_by_hand(student):
    """Two latent numbers: z = mu + sigma eps."""
    mu, logvar, eps = np.array([[1.0, -2.0]]), np.array([[0.0, np.log(4)]]), np.array([[0.5, -1.0]])
    assert_matches(student.bounds.reparameterise(mu, logvar, eps), np.array([[1.5, -4.0]]))


@pytest.mark.item("reparameterisation", weight=2)
@pytest.mark.hint("Every image, and every draw of it, has an eps of its own: nothing is summed.")
def test_reparameterise_with_drawn_noise(student, reference, normal):
    """Latent numbers for one draw an image, and for several."""
    mu, logvar = normal(4, 3), normal(4, 3)
    for eps in (normal(4, 3), normal(5, 4, 3), normal(1, 4, 3)):
        expected = reference.bounds.reparameterise(mu, logvar, eps)
        assert_matches(student.bounds.reparameterise(mu, logvar, eps), expected)


@pytest.mark.item("reparameterisation", weight=2)
@pytest.mark.hint("dz/dmu is 1; d sigma / d logvar is sigma / 2, and eps stands before it.")
def test_slope_of_the_reparameterisation(student, reference, normal):
    """The gradients by mu and logvar, given that by z."""
    for shape in ((5, 3), (1, 4)):
        dz, logvar, eps = normal(*shape), normal(*shape), normal(*shape)
        expected = reference.bounds.reparameterise_grad(dz, logvar, eps)
        assert_matches(student.bounds.reparameterise_grad(dz, logvar, eps), expected)


# ------------------------------------------------------------------------------ KL


@pytest.mark.item("kl")
@pytest.mark.visibility("visible")
@pytest.mark.hint("(mu^2 + sigma^2 - 1 - log sigma^2) / 2, summed over the latent numbers.")
def test_kl_by_hand(student):
    """A Gaussian that is off by 1, one that is twice as wide, and both at once."""
    mu = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    logvar = np.log([[1.0, 1.0], [1.0, 4.0], [1.0, 4.0]])
    wide = (4 - 1 - np.log(4)) / 2
    assert_matches(student.bounds.kl(mu, logvar), np.array([0.5, wide, 0.5 + wide]))


@pytest.mark.item("kl", weight=2)
@pytest.mark.hint("One number an image: sum over latent numbers, no mean, and not over images.")
def test_kl_of_drawn_gaussians(student, reference, normal):
    """KL of batches of several sizes."""
    for shape in ((1, 5), (6, 2), (3, 1)):
        mu, logvar = normal(*shape), normal(*shape)
        assert_matches(student.bounds.kl(mu, logvar), reference.bounds.kl(mu, logvar))


@pytest.mark.item("kl")
@pytest.mark.depends("test_kl_of_drawn_gaussians")
@pytest.mark.hint("A divergence is 0 where both are the same, and positive elsewhere.")
def test_kl_is_zero_at_the_prior_alone(student, normal):
    """KL is 0 for N(0, 1) and above 0 for all others."""
    mu, logvar = 0.3 * normal(20, 2), 0.3 * normal(20, 2)
    mu[0], logvar[0] = 0, 0
    found = as_array(student.bounds.kl(mu, logvar), (20,))
    require(abs(found[0]) < 1e-12, "the KL of N(0, 1) to itself is not 0")
    require(found[1:].min() > 0, "a KL below 0")


@pytest.mark.item("kl")
@pytest.mark.hint("Work with logvar itself: the log of a variance that was rounded to 0 is lost.")
def test_kl_of_extreme_variances(student, reference):
    """KL where sigma^2 is exp(-800), exp(-40) and exp(40)."""
    logvar = np.array([[-800.0], [-40.0], [40.0]])
    mu = np.zeros_like(logvar)
    assert_matches(student.bounds.kl(mu, logvar), reference.bounds.kl(mu, logvar))


@pytest.mark.item("kl", weight=2)
@pytest.mark.hint("Differentiate the sum by mu_nd and by logvar_nd: no mean over images.")
def test_slope_of_the_kl(student, reference, normal):
    """The slopes by mu and logvar."""
    for shape in ((5, 3), (1, 4)):
        mu, logvar = normal(*shape), normal(*shape)
        assert_matches(student.bounds.kl_grad(mu, logvar), reference.bounds.kl_grad(mu, logvar))


# ------------------------------------------------------------------------------ likelihoods


@pytest.mark.item("likelihood")
@pytest.mark.visibility("visible")
@pytest.mark.hint("x log s + (1 - x) log(1 - s), summed over pixels; log(1 - s) counts, too.")
def test_log_bernoulli_by_hand(student):
    """Two pixels, on with probability 1/2 and 3/4."""
    logits, x = np.log([[1.0, 3.0]] * 3), np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]])
    expected = np.log([3 / 8, 1 / 8, 3 / 8])
    assert_matches(student.bounds.log_bernoulli(x, logits), expected)


@pytest.mark.item("likelihood", weight=2)
@pytest.mark.hint("Sum over the last axis, the pixels: no mean; logits may have three axes.")
def test_log_bernoulli_of_drawn_images(student, reference, rng, normal):
    """Log-likelihoods for one set of logits an image, and for several."""
    x = rng.integers(2, size=(4, 6)).astype(float)
    for logits in (normal(4, 6), 3 * normal(5, 4, 6)):
        expected = reference.bounds.log_bernoulli(x, logits)
        assert_matches(student.bounds.log_bernoulli(x, logits), expected)


@pytest.mark.item("likelihood")
@pytest.mark.hint("One of all images must come out: their probabilities add up to 1.")
def test_the_likelihoods_of_all_images_sum_to_one(student, normal):
    """The 64 images of six pixels have probabilities whose sum is 1."""
    x = np.array(list(itertools.product((0.0, 1.0), repeat=6)))
    logits = np.repeat(2 * normal(1, 6), len(x), axis=0)
    found = as_array(student.bounds.log_bernoulli(x, logits), (64,))
    require(found.max() <= 0, "a probability above 1")
    assert_matches(float(np.exp(found).sum()), 1.0, rtol=1e-9)


@pytest.mark.item("likelihood", weight=2)
@pytest.mark.hint("log(1 + exp(l)) is max(l, 0) + log(1 + exp(-|l|)): no exponential is large.")
def test_log_bernoulli_of_huge_logits(student):
    """Logits of 1000 and -1000, right and wrong: 0 and -1000, not NaN and not infinity."""
    logits = np.array([[HUGE], [-HUGE], [HUGE], [-HUGE]])
    x = np.array([[1.0], [0.0], [0.0], [1.0]])
    expected = np.array([0.0, 0.0, -HUGE, -HUGE])
    assert_matches(student.bounds.log_bernoulli(x, logits), expected)


@pytest.mark.item("likelihood")
@pytest.mark.hint("Take the exponential of -|l|, which cannot overflow.")
def test_sigmoid(student, normal):
    """Probabilities of drawn logits, of any shape, and of huge ones."""
    logits = 3 * normal(2, 3, 4)
    assert_matches(student.bounds.sigmoid(logits), 1 / (1 + np.exp(-logits)))
    huge = np.array([-HUGE, 0.0, HUGE])
    assert_matches(student.bounds.sigmoid(huge), np.array([0.0, 0.5, 1.0]))


@pytest.mark.item("likelihood")
@pytest.mark.hint("The slope of log p by a logit is x - sigmoid(l), which raises the likelihood.")
def test_slope_of_the_likelihood(student, reference, rng, normal):
    """The slope by the logits, huge ones among them."""
    x, logits = rng.integers(2, size=(5, 6)).astype(float), 3 * normal(5, 6)
    logits[0, :2] = HUGE, -HUGE
    expected = reference.bounds.log_bernoulli_grad(x, logits)
    assert_matches(student.bounds.log_bernoulli_grad(x, logits), expected)


@pytest.mark.item("likelihood")
@pytest.mark.visibility("visible")
@pytest.mark.hint("-(log 2 pi + log sigma^2 + (z - mu)^2 / sigma^2) / 2, summed.")
def test_log_normal_by_hand(student):
    """Densities of N(0, 1) and N(0, 4), one sigma from the middle."""
    z, logvar = np.array([[1.0], [2.0]]), np.log([[1.0], [4.0]])
    expected = -(np.log(2 * np.pi) + np.log([1.0, 4.0]) + 1) / 2
    assert_matches(student.bounds.log_normal(z, np.zeros((2, 1)), logvar), expected)


@pytest.mark.item("likelihood")
@pytest.mark.hint("Sum over the last axis; z may have three axes, mu and logvar two.")
def test_log_normal_of_drawn_numbers(student, reference, normal):
    """Densities for one z an image, and for several."""
    mu, logvar = normal(4, 3), normal(4, 3)
    for z in (normal(4, 3), normal(5, 4, 3)):
        expected = reference.bounds.log_normal(z, mu, logvar)
        assert_matches(student.bounds.log_normal(z, mu, logvar), expected)


# ------------------------------------------------------------------------------ importance


@pytest.mark.item("importance")
@pytest.mark.visibility("visible")
@pytest.mark.hint("The log of the mean of the weights: exp, mean over draws, log.")
def test_importance_bound_by_hand(student):
    """Weights 1 and 3 have the mean 2, weights 1/2 and 1/2 the mean 1/2."""
    log_weights = np.log([[1.0, 0.5], [3.0, 0.5]])
    assert_matches(student.bounds.importance_bound(log_weights), np.log([2.0, 0.5]))


@pytest.mark.item("importance", weight=2)
@pytest.mark.hint("Draws lie along the first axis, images along the second.")
def test_importance_bound_of_drawn_weights(student, reference, normal):
    """The bound of several images, for one draw and for many."""
    for shape in ((1, 4), (6, 3), (50, 2)):
        log_weights = 3 * normal(*shape)
        expected = reference.bounds.importance_bound(log_weights)
        assert_matches(student.bounds.importance_bound(log_weights), expected)


@pytest.mark.item("importance", weight=2)
@pytest.mark.hint("Take the largest log weight of each image out before exp, and put it back.")
def test_importance_bound_of_tiny_and_huge_weights(student, reference, normal):
    """Log weights around -2000, 0 and 2000, and some that lie 2000 apart, give finite bounds."""
    log_weights = normal(8, 4) + np.array([-2000.0, 0.0, 2000.0, 0.0])
    log_weights[:, 3] += np.linspace(-2000.0, 0.0, 8)
    expected = reference.bounds.importance_bound(log_weights)
    assert_matches(student.bounds.importance_bound(log_weights), expected)


@pytest.mark.item("importance")
@pytest.mark.hint("Divide by the number of draws: twice the same draws tell nothing new.")
def test_the_bound_is_a_mean_over_draws(student, normal):
    """Draws that are repeated leave the bound, and it lies between mean and maximum of logs."""
    log_weights = 2 * normal(7, 4)
    once = as_array(student.bounds.importance_bound(log_weights), (4,))
    twice = student.bounds.importance_bound(np.concatenate([log_weights, log_weights[::-1]]))
    assert_matches(twice, once)
    require(bool((once > log_weights.mean(axis=0)).all()), "a bound below the mean of the logs")
    require(bool((once < log_weights.max(axis=0)).all()), "a bound above the largest log weight")


# ------------------------------------------------------------------------------ all of them


def case(item, name):
    """Return the name of a function as a case that serves an item."""
    return pytest.param(name, marks=pytest.mark.item(item, weight=0.5), id=name)


@pytest.mark.hint("Compute without +=, *= and out= on arguments.")
@pytest.mark.parametrize(
    "name",
    [
        case("reparameterisation", "reparameterise"),
        case("reparameterisation", "reparameterise_grad"),
        case("kl", "kl"),
        case("kl", "kl_grad"),
        case("likelihood", "sigmoid"),
        case("likelihood", "log_bernoulli"),
        case("likelihood", "log_bernoulli_grad"),
        case("likelihood", "log_normal"),
        case("importance", "importance_bound"),
    ],
)
def test_no_argument_is_changed(student, reference, normal, name):
    """A function leaves the arrays that it is given as they were, and gives the right answer."""
    count = {"kl": 2, "kl_grad": 2, "sigmoid": 1, "importance_bound": 1}.get(name, 3)
    arguments = [normal(4, 3) for _ in range(2 if name.startswith("log_bernoulli") else count)]
    expected = getattr(reference.bounds, name)(*arguments)
    answer = require_unchanged(student, getattr(student.bounds, name), *arguments)
    assert_matches(answer, expected)
