"""A variational autoencoder of two small networks, its gradients by hand, and its training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import bounds
from .given import Adam, Options, draw, noise, start

# BEGIN SOLUTION
# The bound of held-out images grew with units and batch for as long as there was time: 1,000 steps
# of this take about 3 CPU seconds.
BEST: dict[str, float] = {"latent": 16, "hidden": 200, "learning_rate": 5e-3, "batch": 200}
BEST_STEPS = 1000


# END SOLUTION


class VAE:
    """Encoder x -> (mu, logvar) and decoder z -> logits, each with one hidden layer of tanh units.

        h = tanh(x W_encoder^T + b_encoder)   mu     = h W_mu^T + b_mu
                                              logvar = h W_logvar^T + b_logvar
        g = tanh(z W_decoder^T + b_decoder)   l      = g W_logits^T + b_logits

    `parameters` holds encoder_w [H, P], encoder_b [H], mu_w [D, H], mu_b [D], logvar_w [D, H],
    logvar_b [D], decoder_w [H, D], decoder_b [H], logits_w [P, H], logits_b [P] and nothing else,
    for P pixels, H hidden units and D latent numbers. `start` makes them.
    """

    def __init__(self, parameters: Mapping[str, np.ndarray]) -> None:
        """Make the model of these parameters, which stay as they are."""
        self.parameters = dict(parameters)

    def encode(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (mu, logvar) of q(z|x). Shapes: x [N, P] -> [N, D], [N, D]."""
        # BEGIN SOLUTION
        h = np.tanh(self._layer("encoder", x))
        return self._layer("mu", h), self._layer("logvar", h)
        # END SOLUTION

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Return the logits of p(x|z). Shapes: z [N, D] or [K, N, D] -> [N, P] or [K, N, P]."""
        # BEGIN SOLUTION
        return self._layer("logits", np.tanh(self._layer("decoder", z)))
        # END SOLUTION

    # BEGIN SOLUTION
    def _layer(self, name: str, x: np.ndarray) -> np.ndarray:
        """Return the linear layer of this name. Shapes: x [..., fan_in] -> [..., fan_out]."""
        return x @ self.parameters[f"{name}_w"].T + self.parameters[f"{name}_b"]

    # END SOLUTION

    def elbo(self, x: np.ndarray, eps: np.ndarray, beta: float = 1.0) -> np.ndarray:
        """Return log p(x|z) - beta KL(q(z|x) || p(z)) of every image, at z = mu + sigma eps.

        Shapes: x [N, P], eps [N, D] -> [N].
        """
        # BEGIN SOLUTION
        mu, logvar = self.encode(x)
        logits = self.decode(bounds.reparameterise(mu, logvar, eps))
        return bounds.log_bernoulli(x, logits) - beta * bounds.kl(mu, logvar)
        # END SOLUTION

    def gradients(self, x: np.ndarray, eps: np.ndarray, beta: float = 1.0) -> dict[str, np.ndarray]:
        """Return the slope of the mean of `elbo` over the images, by every parameter.

        It points uphill: a small step along it makes the ELBO larger.
        Shapes: x [N, P], eps [N, D] -> those of `parameters`, by the same names.
        """
        # BEGIN SOLUTION
        p = self.parameters
        h = np.tanh(self._layer("encoder", x))  # [N, H]
        mu, logvar = self._layer("mu", h), self._layer("logvar", h)  # [N, D] each
        z = bounds.reparameterise(mu, logvar, eps)  # [N, D]
        g = np.tanh(self._layer("decoder", z))  # [N, H]
        logits = self._layer("logits", g)  # [N, P]

        dlogits = bounds.log_bernoulli_grad(x, logits) / len(x)  # [N, P], of the mean
        da = dlogits @ p["logits_w"] * (1 - g**2)  # [N, H], before the decoder's tanh
        dmu, dlogvar = bounds.reparameterise_grad(da @ p["decoder_w"], logvar, eps)
        kl_mu, kl_logvar = bounds.kl_grad(mu, logvar)
        dmu = dmu - beta * kl_mu / len(x)  # [N, D], on both ways from q: through z and the KL
        dlogvar = dlogvar - beta * kl_logvar / len(x)  # [N, D]
        dc = (dmu @ p["mu_w"] + dlogvar @ p["logvar_w"]) * (1 - h**2)  # [N, H]

        slopes = {}
        for name, dy, inputs in (
            ("encoder", dc, x),
            ("mu", dmu, h),
            ("logvar", dlogvar, h),
            ("decoder", da, z),
            ("logits", dlogits, g),
        ):
            slopes[f"{name}_w"], slopes[f"{name}_b"] = dy.T @ inputs, dy.sum(axis=0)
        return slopes
        # END SOLUTION


def train(images: np.ndarray, seed: int, steps: int, **settings: float) -> VAE:
    """Train a model by Adam and return it; `settings` are those of `Options`.

    It begins with the parameters of `start`. Each step takes the rows and eps of `draw`, and goes
    along the gradients of the mean of the ELBO over these rows, the KL weighed by beta.
    Shapes: images [N, P], numbers 0 and 1.
    """
    # BEGIN SOLUTION
    options = Options(**settings)
    model = VAE(start(images.shape[1], options, seed))
    adam = Adam(options.learning_rate)
    for step in range(steps):
        rows, eps = draw(len(images), options, seed, step)
        slopes = model.gradients(images[rows], eps, options.beta)
        model = VAE(adam.step(model.parameters, slopes))
    return model
    # END SOLUTION


def best(images: np.ndarray, seed: int) -> VAE:
    """Return the best model that you can train on these images in 5 CPU seconds: the open part.

    It has the networks of `VAE`, with at most 256 hidden units and 64 latent numbers; how they are
    trained is your affair. It is judged by the mean of `log_evidence`, K = 20, on other images.
    Shapes: images [N, P], numbers 0 and 1.
    """
    # BEGIN SOLUTION
    return train(images, seed, BEST_STEPS, **BEST)
    # END SOLUTION


def sample(model: VAE, n: int, seed: int) -> np.ndarray:
    """Return the pixels' probabilities for n draws of z from N(0, 1): noise(seed, n, D).

    Shapes: -> [n, P], numbers from 0 to 1.
    """
    # BEGIN SOLUTION
    return bounds.sigmoid(model.decode(noise(seed, n, _latent(model))))
    # END SOLUTION


def evaluate(model: VAE, images: np.ndarray, seed: int) -> float:
    """Return the mean ELBO of images (beta 1), with eps = noise(seed, N, D), in nats.

    Shapes: images [N, P].
    """
    # BEGIN SOLUTION
    return float(model.elbo(images, noise(seed, len(images), _latent(model))).mean())
    # END SOLUTION


def log_evidence(model: VAE, images: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Return the importance-weighted bound of every image, with K = `samples` draws of z for each.

    log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x), z_k = mu + sigma eps_k and
    eps = noise(seed, K, N, D). Shapes: images [N, P] -> [N], in nats.
    """
    # BEGIN SOLUTION
    mu, logvar = model.encode(images)  # [N, D] each
    z = bounds.reparameterise(mu, logvar, noise(seed, samples, *mu.shape))  # [K, N, D]
    nothing = np.zeros_like(mu)  # mean and log variance of p(z)
    log_weights = (
        bounds.log_bernoulli(images, model.decode(z))
        + bounds.log_normal(z, nothing, nothing)
        - bounds.log_normal(z, mu, logvar)
    )
    return bounds.importance_bound(log_weights)
    # END SOLUTION


# BEGIN SOLUTION
def _latent(model: VAE) -> int:
    """Return how many numbers z has."""
    return len(model.parameters["mu_b"])


# END SOLUTION
