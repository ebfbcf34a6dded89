"""Public tests: run ``python -m pytest test_vae.py``.

Run them in the folder that holds this file. They show small examples worked by hand; passing them
is a good start, not full marks: the hidden tests ask for more.
"""

import functools

import numpy as np
import pytest
from vae import bounds, model, study
from vae.given import Options, start


def told(test):
    """Say in one line which function is not written yet, instead of a traceback."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        try:
            return test(*args, **kwargs)
        except NotImplementedError as missing:
            reason = str(missing)
        pytest.fail(reason, pytrace=False)

    return run


def close(found, expected, tolerance=1e-6):
    """Fail unless all numbers agree."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


@pytest.fixture
def small():
    """Return a model of four pixels, three hidden units and two latent numbers, and two images."""
    parameters = start(4, Options(latent=2, hidden=3), seed=0)
    return model.VAE(parameters), np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0]])


@told
def test_reparameterise():
    """Sigma is 1 and 2."""
    mu, logvar, eps = np.array([[1.0, -2.0]]), np.log([[1.0, 4.0]]), np.array([[0.5, -1.0]])
    close(bounds.reparameterise(mu, logvar, eps), [[1.5, -4.0]])
    dmu, dlogvar = bounds.reparameterise_grad(np.array([[3.0, 1.0]]), logvar, eps)
    close(dmu, [[3.0, 1.0]])
    close(dlogvar, [[0.75, -1.0]])


@told
def test_kl():
    """A Gaussian that is off by 1, and one that is also twice as wide in another direction."""
    mu, logvar = np.array([[1.0, 0.0], [1.0, 0.0]]), np.log([[1.0, 1.0], [1.0, 4.0]])
    close(bounds.kl(mu, logvar), [0.5, 1.306853])
    dmu, dlogvar = bounds.kl_grad(mu, logvar)
    close(dmu, mu)
    close(dlogvar, [[0.0, 0.0], [0.0, 1.5]])


@told
def test_log_bernoulli():
    """Two pixels, on with probability 1/2 and 3/4; and a pixel that is surely on, but is off."""
    logits = np.log([[1.0, 3.0]])
    close(bounds.sigmoid(logits), [[0.5, 0.75]])
    close(bounds.log_bernoulli(np.array([[1.0, 1.0]]), logits), [-0.980829])
    close(bounds.log_bernoulli(np.array([[0.0]]), np.array([[1000.0]])), [-1000.0])
    close(bounds.log_bernoulli_grad(np.array([[1.0, 0.0]]), logits), [[0.5, -0.75]])


@told
def test_log_normal():
    """One sigma from the middle of N(0, 1) and of N(0, 4)."""
    z, logvar = np.array([[1.0], [2.0]]), np.log([[1.0], [4.0]])
    close(bounds.log_normal(z, np.zeros((2, 1)), logvar), [-1.418939, -2.112086])


@told
def test_importance_bound():
    """Weights 1 and 3, and the same 2,000 nats lower."""
    log_weights = np.log([[1.0, 1.0], [3.0, 3.0]]) - [0.0, 2000.0]
    close(bounds.importance_bound(log_weights), [0.693147, -1999.306853])


@told
def test_shapes(small):
    """What encoder, decoder and bound return."""
    vae, x = small
    mu, logvar = vae.encode(x)
    assert mu.shape == logvar.shape == (2, 2)
    assert vae.decode(np.zeros((5, 2, 2))).shape == (5, 2, 4)
    assert vae.elbo(x, np.zeros((2, 2))).shape == (2,)


@told
def test_gradients(small):
    """One slope beside a difference of the bound."""
    vae, x = small
    eps, step = np.array([[0.3, -1.0], [1.2, 0.4]]), 1e-5
    ends = []
    for sign in (1, -1):
        moved = vae.parameters["logvar_w"].copy()
        moved[1, 2] += sign * step
        ends.append(model.VAE({**vae.parameters, "logvar_w": moved}).elbo(x, eps).mean())
    slopes = vae.gradients(x, eps)
    assert slopes.keys() == vae.parameters.keys()
    close(slopes["logvar_w"][1, 2], (ends[0] - ends[1]) / (2 * step), 1e-5)


@told
def test_training():
    """A few steps raise the bound, and equal seeds give equal models."""
    x = (np.random.default_rng(1).random((50, 6)) < [0.9, 0.1, 0.9, 0.1, 0.5, 0.5]).astype(float)
    before, after, again = (model.train(x, 3, steps, hidden=5, latent=2) for steps in (0, 50, 50))
    assert model.evaluate(after, x, 0) > model.evaluate(before, x, 0) + 0.5
    close(model.sample(after, 4, 7), model.sample(again, 4, 7), 0)


@told
def test_log_evidence(small):
    """More draws for each image bring the bound nearer to log p(x), which is larger."""
    vae, x = small
    x = np.repeat(x, 500, axis=0)
    few, many = (model.log_evidence(vae, x, draws, 0) for draws in (1, 20))
    assert few.shape == (1000,) and many.mean() > few.mean()


@told
def test_unknown_factors_are_refused():
    """A factor that is not in BASE."""
    with pytest.raises(ValueError):
        study.run_cell("no such factor", 1, 0, {})
