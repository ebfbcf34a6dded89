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
    raise NotImplementedError("reparameterise is not written yet")


def reparameterise_grad(
    dz: np.ndarray, logvar: np.ndarray, eps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients (dL/dmu, dL/dlogvar), given dz = dL/dz.

    Shapes: dz, logvar, eps [N, D] -> [N, D], [N, D].
    """
    raise NotImplementedError("reparameterise_grad is not written yet")


def kl(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return KL(N(mu, sigma^2) || N(0, 1)), the sum over latent numbers, in nats.

    Shapes: mu, logvar [N, D] -> [N].
    """
    raise NotImplementedError("kl is not written yet")


def kl_grad(mu: np.ndarray, logvar: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the slopes of `kl` of every image: (dKL/dmu, dKL/dlogvar).

    Shapes: mu, logvar [N, D] -> [N, D], [N, D].
    """
    raise NotImplementedError("kl_grad is not written yet")


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-l)), also for l = 1000 and -1000, without a warning.

    Shapes: any -> the same.
    """
    raise NotImplementedError("sigmoid is not written yet")


def log_bernoulli(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return log p(x|z), the sum over pixels of x log s + (1 - x) log(1 - s), s = sigmoid(l).

    It stays exact where s rounds to 0 or 1, as at l = 1000 and -1000, and warns of nothing.
    Shapes: x [N, P], logits [N, P] or [K, N, P] -> [N] or [K, N].
    """
    raise NotImplementedError("log_bernoulli is not written yet")


def log_bernoulli_grad(x: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """Return the slope of `log_bernoulli` of every image by its logits.

    Shapes: x, logits [N, P] -> [N, P].
    """
    raise NotImplementedError("log_bernoulli_grad is not written yet")


def log_normal(z: np.ndarray, mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    """Return log N(z; mu, sigma^2), the sum over latent numbers, in nats.

    Shapes: z [N, D] or [K, N, D], mu, logvar [N, D] -> [N] or [K, N].
    """
    raise NotImplementedError("log_normal is not written yet")


def importance_bound(log_weights: np.ndarray) -> np.ndarray:
    """Return log 1/K sum_k w_k, given log w_k = log p(x, z_k) - log q(z_k|x), in nats.

    The weights of images lie around exp(-50) to exp(-2000): as numbers they would be 0.
    Shapes: log_weights [K, N] -> [N].
    """
    raise NotImplementedError("importance_bound is not written yet")
