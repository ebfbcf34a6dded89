"""The autoencoder: its networks, their gradients, its training, and what it is used for."""

import numpy as np
import pytest

from grader.suite import as_array, as_number, as_object, assert_matches, attribute, require

TRAINING_CPU_SECONDS = 20  # students are told 2: a slow machine must decide nothing
STEPS = 1000  # of the training that is followed to its end
# Two honest trainings in float64 end within 1e-12 of each other; a start that is off by 1e-7 ends
# within 1e-5.
SAME_END = 1e-6


@pytest.fixture
def images(rng):
    """Give ``images(n, pixels)``: drawn images of numbers 0 and 1, a third of them 1."""
    return lambda n, pixels=7: (rng.random((n, pixels)) < 1 / 3).astype(float)


# ------------------------------------------------------------------------------ networks


@pytest.mark.item("networks", weight=2)
@pytest.mark.hint("One hidden layer of tanh; mu and logvar are both linear in it, and in no order.")
def test_encode(theirs, drawn_model, images, rng):
    """The encoder's mu and logvar for drawn parameters."""
    for sizes in ((7, 5, 3), (4, 6, 1)):
        model, x = drawn_model(rng, *sizes), images(6, sizes[0])
        assert_matches(theirs(model).encode(x), model.encode(x))


@pytest.mark.item("networks", weight=2)
@pytest.mark.hint("Logits, no probabilities: no sigmoid after the last layer.")
def test_decode(theirs, drawn_model, rng):
    """The decoder's logits, for one z an image and for several."""
    model = drawn_model(rng)
    for z in (rng.normal(size=(6, 3)), rng.normal(size=(4, 6, 3))):
        assert_matches(theirs(model).decode(z), model.decode(z))


@pytest.mark.item("networks", weight=2)
@pytest.mark.depends("test_encode", "test_decode")
@pytest.mark.hint("log p(x|z) - beta KL at z = mu + sigma eps; one number an image, no mean.")
def test_elbo(theirs, drawn_model, images, rng):
    """The bound of every image, for drawn weights of the KL."""
    model, x = drawn_model(rng), images(6)
    eps = rng.normal(size=(6, 3))
    mine = theirs(model)
    assert_matches(mine.elbo(x, eps), model.elbo(x, eps))
    for beta in (0.0, float(rng.uniform(0.2, 5))):
        assert_matches(mine.elbo(x, eps, beta), model.elbo(x, eps, beta))


@pytest.mark.item("networks")
@pytest.mark.depends("test_elbo")
@pytest.mark.hint("An image's bound hangs on its own pixels and its own eps alone.")
def test_images_do_not_know_each_other(theirs, drawn_model, images, rng):
    """Images in another order, or alone, have the same bounds."""
    model, x, eps = drawn_model(rng), images(6), rng.normal(size=(6, 3))
    mine, order = theirs(model), rng.permutation(6)
    together = as_array(mine.elbo(x, eps), (6,))
    assert_matches(mine.elbo(x[order], eps[order]), together[order])
    assert_matches(mine.elbo(x[2:3], eps[2:3]), together[2:3])


# ------------------------------------------------------------------------------ gradients


@pytest.mark.item("gradients", weight=3)
@pytest.mark.hint("Two ways lead from mu and logvar to the bound: through z, and through the KL.")
@pytest.mark.parametrize("beta", [0.0, 1.0, 3.5])
def test_gradients_of_drawn_models(theirs, drawn_model, images, rng, beta):
    """The slope of the mean bound by every parameter."""
    for n, sizes in ((6, (7, 5, 3)), (1, (4, 6, 2))):
        model, x, eps = (
            drawn_model(rng, *sizes),
            images(n, sizes[0]),
            rng.normal(size=(n, sizes[2])),
        )
        assert_matches(theirs(model).gradients(x, eps, beta), model.gradients(x, eps, beta))


@pytest.mark.item("gradients", weight=2)
@pytest.mark.depends("test_elbo")
@pytest.mark.hint("Compare with (ELBO(p + h) - ELBO(p - h)) / 2h for one parameter after another.")
def test_gradients_are_the_slopes_of_the_own_bound(student, drawn_model, images, slope, rng):
    """Along a drawn direction the submission's own bound changes as its gradients say."""
    model, x, eps = drawn_model(rng), images(5), rng.normal(size=(5, 3))
    found = student.model.VAE(model.parameters).gradients(x, eps)
    for name, value in model.parameters.items():
        direction = rng.normal(size=value.shape)

        def bound(moved, name=name):
            changed = {**model.parameters, name: moved}
            own = as_object(student.model.VAE(changed))
            return float(as_array(own.elbo(x, eps), (5,)).mean())

        require(type(found) is dict and name in found, "a gradient of every parameter, by its name")
        along = float(np.sum(direction * as_array(found[name], value.shape)))
        assert_matches(along, slope(bound, value, direction), rtol=1e-5, atol=1e-7)


@pytest.mark.item("gradients")
@pytest.mark.depends("test_elbo")
@pytest.mark.hint("The gradients point uphill: the bound is to be raised, no loss to be lowered.")
def test_a_step_along_the_gradients_raises_the_bound(student, drawn_model, images, rng):
    """A small step along the gradients makes the mean bound larger."""
    model, x, eps = drawn_model(rng), images(20), rng.normal(size=(20, 3))
    own = as_object(student.model.VAE(model.parameters))
    found = own.gradients(x, eps)
    require(type(found) is dict and found.keys() == model.parameters.keys(), "other names")
    moved = {
        name: value + 1e-3 * as_array(found[name], value.shape)
        for name, value in model.parameters.items()
    }
    after = as_object(student.model.VAE(moved))
    bounds = [as_array(one.elbo(x, eps), (20,)).mean() for one in (own, after)]
    require(bounds[1] > bounds[0], "the bound fell")


@pytest.mark.item("gradients", weight=0.5)
@pytest.mark.depends("test_gradients_of_drawn_models[1.0]")
@pytest.mark.hint("gradients changes neither the parameters nor what it is given.")
def test_gradients_change_nothing(student, drawn_model, images, rng):
    """Twice the same call gives the same answer, and images and parameters stay."""
    model, x, eps = drawn_model(rng), images(5), rng.normal(size=(5, 3))
    own = as_object(student.model.VAE(model.parameters))
    there, noise = student.hold(x), student.hold(eps)
    first = own.gradients(there, noise)
    assert_matches(own.gradients(there, noise), first, rtol=0, atol=0)
    assert_matches(there.ask("held"), x, rtol=0, atol=0)
    assert_matches(noise.ask("held"), eps, rtol=0, atol=0)
    assert_matches(attribute(own, "parameters"), model.parameters, rtol=0, atol=0)


# ------------------------------------------------------------------------------ training


@pytest.mark.item("training", weight=2)
@pytest.mark.hint("Begin with start, take rows and eps of draw, let Adam climb along gradients.")
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="base"),
        pytest.param({"beta": 4.0}, id="beta"),
        pytest.param({"latent": 3, "hidden": 9}, id="widths"),
        pytest.param({"learning_rate": 1e-3, "batch": 17}, id="steps"),
    ],
)
def test_first_steps(student, reference, ours, pictures, rng, settings):
    """No step, one and four end where ours end, with drawn images and a drawn seed."""
    x, seed = pictures(rng, 300).train, int(rng.integers(10_000))
    for steps in (0, 1, 4):
        wanted = reference.model.train(x, seed, steps, **settings).parameters
        widths = len(wanted["mu_b"]), len(wanted["encoder_b"])
        found = ours(student.model.train(x, seed, steps, **settings), 196, *widths)
        assert_matches(found.parameters, wanted, rtol=1e-7)


@pytest.mark.item("training", weight=3)
@pytest.mark.depends("test_first_steps[base]")
@pytest.mark.hint("Every step has rows, eps and a moment of Adam's of its own, to the last.")
def test_training_to_the_end(student, reference, ours, pictures, rng, bar):
    """A thousand steps end where ours end, and code held-out images as well."""
    data, seed = pictures(rng), int(rng.integers(10_000))
    with student.budget(cpu_seconds=TRAINING_CPU_SECONDS):
        model = ours(student.model.train(data.train, seed, STEPS), 196, 8, 64)
    wanted = reference.model.train(data.train, seed, STEPS)
    assert_matches(model.parameters, wanted.parameters, rtol=SAME_END)
    bar("elbo", reference.model.evaluate(model, data.held, seed))


@pytest.mark.item("training", weight=0.5)
@pytest.mark.depends("test_first_steps[base]")
@pytest.mark.hint("images[rows] is a copy; leave the images themselves alone.")
def test_training_leaves_its_images(student, pictures, rng):
    """The images are the same after a training."""
    x = pictures(rng, 200).train
    there = student.hold(x)
    as_object(student.model.train(there, 1, 3))
    assert_matches(there.ask("held"), x, rtol=0, atol=0)


# ------------------------------------------------------------------------------ use


@pytest.mark.item("use", weight=2)
@pytest.mark.depends("test_decode")
@pytest.mark.hint("z = noise(seed, n, D) from the prior; what is returned are probabilities.")
def test_samples(student, reference, theirs, drawn_model, rng):
    """Probabilities of pixels for draws from the prior."""
    model, seed = drawn_model(rng), int(rng.integers(10_000))
    for n in (1, 9):
        expected = reference.model.sample(model, n, seed)
        assert_matches(student.model.sample(theirs(model), n, seed), expected)


@pytest.mark.item("use", weight=2)
@pytest.mark.depends("test_elbo")
@pytest.mark.hint("The mean of elbo over the images, beta 1, an eps for each image.")
def test_evaluate(student, reference, theirs, drawn_model, images, rng):
    """The mean bound of images, as a number."""
    model, x, seed = drawn_model(rng), images(8), int(rng.integers(10_000))
    found = as_number(student.model.evaluate(theirs(model), x, seed))
    assert_matches(found, reference.model.evaluate(model, x, seed))


@pytest.mark.item("use", weight=3)
@pytest.mark.depends("test_encode", "test_decode")
@pytest.mark.hint("log p(x|z) + log p(z) - log q(z|x) for each of K draws, then the bound.")
def test_log_evidence(student, reference, theirs, drawn_model, images, rng):
    """The importance-weighted bound of every image, for one draw and for many."""
    model, x, seed = drawn_model(rng), images(6), int(rng.integers(10_000))
    for samples in (1, 2, 30):
        expected = reference.model.log_evidence(model, x, samples, seed)
        assert_matches(student.model.log_evidence(theirs(model), x, samples, seed), expected)


@pytest.mark.item("use")
@pytest.mark.depends("test_log_evidence")
@pytest.mark.hint("Where q(z|x) is the prior and pixels ignore z, every weight is p(x) itself.")
def test_the_evidence_of_a_model_without_a_code(student, reference, drawn_model, images, rng):
    """A decoder that ignores z and an encoder that gives the prior have the exact log p(x)."""
    model, x = drawn_model(rng), images(6)
    silent = {"mu_w", "mu_b", "logvar_w", "logvar_b", "logits_w"}
    parameters = {
        name: 0 * value if name in silent else value for name, value in model.parameters.items()
    }
    exact = reference.bounds.log_bernoulli(x, np.tile(parameters["logits_b"], (6, 1)))
    own = as_object(student.model.VAE(parameters))
    assert_matches(student.model.log_evidence(own, x, 5, 3), exact)
