"""Two bounds of log p(x), term by term, with their slopes, in NumPy.

A model draws z ~ p(z) = N(0, I), then every pixel of x on or off: p(x|z) = Bernoulli(sigmoid(l)),
where l are the decoder's logits for z. An encoder says where z may have been:
q(z|x) = N(mu, diag(sigma^2)). Since log p(x) cannot be computed, one climbs what lies below it,

    ELBO(x) = E_q [log p(x|z)] - KL(q(z|x) || p(z))                      (Kingma and Welling 2013)
    L_K(x)  = E_q [log 1/K sum_k p(x, z_k) / q(z_k|x)]  >=  ELBO(x)      (Burda et al. 2015)

An encoder's second output is log sigma^2, written `logvar`: any number is allowed.
Sums run over pixels and latent numbers, never over images: what comes out has one number an image.
Everything is float64.
"""

from __future__ import annotations

import numpy as np


def reparameterise(mu: np.ndarray, logvar: np.ndarray, eps: np.ndarray) -> np.ndarray:
    """Return z = mu + sigma eps, which is drawn from N(mu, sigma^2) if eps is from N(0, 1).

    Shapes: mu, logvar [N, D], eps [N, D] or [K, N, D] -> that of eps.
    """
    # BEGIN SOLUTION
    return mu + np.exp(logvar / 2) * eps
    # END SOLUTION


def reparameterise_grad(
    dz: np.ndarray, logvar: np.ndarray, eps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients (dL/dmu, dL/dlogvar), given dz = dL/dz.

    Shapes: dz, logvar, eps [N, D] -> [N, D], [N, D].
    """
    # BEGIN SOLUTION
    return dz, dz * eps * np.exp(logvar / 2) / 2  # d sigma / d log sigma^2 = sigma / 2
    # END SOLUTION


def kl(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return KL(N(mu, sigma^2) || N(0, 1)), the sum over latent numbers, in nats.

    Shapes: mu, logvar [N, D] -> [N].
    """
    # BEGIN SOLUTION
    return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1) / 2
    # END SOLUTION


def kl_grad(mu: np.ndarray, logvar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes of `kl` of every image: (dKL/dmu, dKL/dlogvar).

    Shapes: mu, logvar [N, D] -> [N, D], [N, D].
    """
    # BEGIN SOLUTION
    return mu, (np.exp(logvar) - 1) / 2
    # END SOLUTION


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-l)), also for l = 1000 and -1000, without a warning.

    Shapes: any -> the same.
    """
    # BEGIN SOLUTION
    small = np.exp(-np.abs(logits))  # at most 1: nothing overflows
    return np.where(logits >= 0, 1, small) / (1 + small)
    # END SOLUTION


def log_bernoulli(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return log p(x|z), the sum over pixels of x log s + (1 - x) log(1 - s), s = sigmoid(l).

    It stays exact where s rounds to 0 or 1, as at l = 1000 and -1000, and warns of nothing.
    Shapes: x [N, P], logits [N, P] or [K, N, P] -> [N] or [K, N].
    """
    # BEGIN SOLUTION
    # log s = l - softplus(l) and log(1 - s) = -softplus(l), with softplus(l) = log(1 + exp(l)).
    return (x * logits - np.logaddexp(0, logits)).sum(axis=-1)
    # END SOLUTION


def log_bernoulli_grad(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the slope of `log_bernoulli` of every image by its logits.

    Shapes: x, logits [N, P] -> [N, P].
    """
    # BEGIN SOLUTION
    return x - sigmoid(logits)
    # END SOLUTION


def log_normal(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return log N(z; mu, sigma^2), the sum over latent numbers, in nats.

    Shapes: z [N, D] or [K, N, D], mu, logvar [N, D] -> [N] or [K, N].
    """
    # BEGIN SOLUTION
    square = (z - mu) ** 2 / np.exp(logvar)
    return -(np.log(2 * np.pi) + logvar + square).sum(axis=-1) / 2
    # END SOLUTION


def importance_bound(log_weights: np.ndarray) -> np.ndarray:
    """Return log 1/K sum_k w_k, given log w_k = log p(x, z_k) - log q(z_k|x), in nats.

    The weights of images lie around exp(-50) to exp(-2000): as numbers they would be 0.
    Shapes: log_weights [K, N] -> [N].
    """
    # BEGIN SOLUTION
    largest = log_weights.max(axis=0)
    return largest + np.log(np.exp(log_weights - largest).mean(axis=0))
    # END SOLUTION
