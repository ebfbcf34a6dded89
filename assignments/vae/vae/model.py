"""A variational autoencoder of two small networks, its gradients by hand, and its training."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from . import bounds
from .given import Adam, Options, draw, noise, start


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
        raise NotImplementedError("VAE.encode is not written yet")

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Return the logits of p(x|z). Shapes: z [N, D] or [K, N, D] -> [N, P] or [K, N, P]."""
        raise NotImplementedError("VAE.decode is not written yet")

    def elbo(self, x: np.ndarray, eps: np.ndarray, beta: float = 1.0) -> np.ndarray:
        """Return log p(x|z) - beta KL(q(z|x) || p(z)) of every image, at z = mu + sigma eps.

        Shapes: x [N, P], eps [N, D] -> [N].
        """
        raise NotImplementedError("VAE.elbo is not written yet")

    def gradients(self, x: np.ndarray, eps: np.ndarray, beta: float = 1.0) -> dict[str, np.ndarray]:
        """Return the slope of the mean of `elbo` over the images, by every parameter.

        It points uphill: a small step along it makes the ELBO larger.
        Shapes: x [N, P], eps [N, D] -> those of `parameters`, by the same names.
        """
        raise NotImplementedError("VAE.gradients is not written yet")


def train(images: np.ndarray, seed: int, steps: int, **settings: float) -> VAE:
    """Train a model by Adam and return it; `settings` are those of `Options`.

    It begins with the parameters of `start`. Each step takes the rows and eps of `draw`, and goes
    along the gradients of the mean of the ELBO over these rows, the KL weighed by beta.
    Shapes: images [N, P], numbers 0 and 1.
    """
    raise NotImplementedError("train is not written yet")


def best(images: np.ndarray, seed: int) -> VAE:
    """Return the best model that you can train on these images in 5 CPU seconds: the open part.

    It has the networks of `VAE`, with at most 256 hidden units and 64 latent numbers; how they are
    trained is your affair. It is judged by the mean of `log_evidence`, K = 20, on other images.
    Shapes: images [N, P], numbers 0 and 1.
    """
    raise NotImplementedError("best is not written yet")


def sample(model: VAE, n: int, seed: int) -> np.ndarray:
    """Return the pixels' probabilities for n draws of z from N(0, 1): noise(seed, n, D).

    Shapes: -> [n, P], numbers from 0 to 1.
    """
    raise NotImplementedError("sample is not written yet")


def evaluate(model: VAE, images: np.ndarray, seed: int) -> float:
    """Return the mean ELBO of images (beta 1), with eps = noise(seed, N, D), in nats.

    Shapes: images [N, P].
    """
    raise NotImplementedError("evaluate is not written yet")


def log_evidence(model: VAE, images: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Return the importance-weighted bound of every image, with K = `samples` draws of z for each.

    log w_k = log p(x|z_k) + log p(z_k) - log q(z_k|x), z_k = mu + sigma eps_k and
    eps = noise(seed, K, N, D). Shapes: images [N, P] -> [N], in nats.
    """
    raise NotImplementedError("log_evidence is not written yet")
