"""Activations, softmax, cross-entropy, initialisation and a multi-layer perceptron, in NumPy.

Everything is float64. A batch has one example a row: x has shape [N, d]. Nothing here changes an
array that it was given.
"""

from __future__ import annotations

import math

import numpy as np

ACTIVATIONS = (
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
INITIALISATIONS = ("xavier_uniform", "xavier_normal", "he_uniform", "he_normal")

LEAKY_SLOPE = 0.01
SQRT_2 = math.sqrt(2.0)
# Hidden layers with these activations start from he_normal, all others from xavier_normal.
RECTIFIERS = ("relu", "leaky_relu", "elu", "swish", "gelu")


def activation(name: str, x: np.ndarray) -> np.ndarray:
    """Apply the activation `name` to every element.

    identity    x
    sigmoid     1 / (1 + exp(-x))                 must not overflow at x = -1000
    tanh        tanh x
    relu        max(x, 0)
    leaky_relu  x if x > 0 else 0.01 x
    elu         x if x > 0 else exp(x) - 1
    softplus    log(1 + exp(x))                   must not overflow at x = 1000
    swish       x sigmoid(x)
    gelu        x Phi(x), Phi the normal CDF = (1 + erf(x / sqrt 2)) / 2   (math.erf; no tanh form)

    Shapes: x any shape, result the same, float64.
    Raises ValueError if there is no activation of that name.
    Sources: elu, Clevert et al. 2016 eq. 1; swish, Ramachandran et al. 2017; gelu, Hendrycks and
    Gimpel 2016 sec. 2.
    """
    raise NotImplementedError("activation is not written yet")


def activation_grad(name: str, x: np.ndarray) -> np.ndarray:
    """Return the derivative of the activation `name` at every element of x.

    At x = 0 take the derivative from the left: relu 0, leaky_relu 0.01, elu 1.

    Shapes: x any shape, result the same, float64.
    Raises ValueError if there is no activation of that name.
    """
    raise NotImplementedError("activation_grad is not written yet")


def softmax(z: np.ndarray) -> np.ndarray:
    """Return exp(z_k) / sum_j exp(z_j) along the last axis.

    Must stay right for logits near 1000: subtract the largest logit of the row first.

    Shapes: z [..., K] -> [..., K].
    """
    raise NotImplementedError("softmax is not written yet")


def log_softmax(z: np.ndarray) -> np.ndarray:
    """Return log softmax(z) along the last axis, finite for any finite z.

    log softmax(z)_k = z_k - logsumexp(z), and logsumexp(z) = max z + log sum_j exp(z_j - max z).

    Shapes: z [..., K] -> [..., K].
    """
    raise NotImplementedError("log_softmax is not written yet")


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy of a batch and its gradient with respect to the logits.

    L = -1/N sum_n log softmax(logits_n)[labels_n]      (mind the minus sign, and the mean)
    dL/dlogits = (softmax(logits) - onehot(labels)) / N

    Shapes: logits [N, K], labels [N] of integers in 0..K-1 -> (float, [N, K]).
    """
    raise NotImplementedError("cross_entropy is not written yet")


def initialise(kind: str, fan_in: int, fan_out: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a weight matrix; all randomness comes from `rng`.

    xavier_normal   N(0, std^2),  std = sqrt(2 / (fan_in + fan_out))
    xavier_uniform  U(-a, a),     a = sqrt(6 / (fan_in + fan_out))
    he_normal       N(0, std^2),  std = sqrt(2 / fan_in)     (randn TIMES the std)
    he_uniform      U(-a, a),     a = sqrt(6 / fan_in)

    Shapes: result [fan_out, fan_in], float64.
    Raises ValueError if there is no initialisation of that name.
    Sources: Glorot and Bengio 2010 eq. 16; He et al. 2015 eq. 10.
    """
    raise NotImplementedError("initialise is not written yet")


class MLP:
    """A multi-layer perceptron: h_0 = x, a_l = h_{l-1} W_l^T + b_l, h_l = activation(a_l).

    The last layer is linear: its output is a_L, without activation.
    """

    def __init__(
        self, sizes: list[int] | tuple[int, ...], activation: str, rng: np.random.Generator
    ) -> None:
        """Make layers of `sizes`, e.g. (2, 16, 3): 2 inputs, 16 hidden units, 3 outputs.

        Weights start from he_normal if `activation` is relu, leaky_relu, elu, swish or gelu and
        from xavier_normal otherwise (the last layer too), biases from 0.
        """
        raise NotImplementedError("MLP is not written yet")

    def parameters(self) -> list[np.ndarray]:
        """Return [W_1, b_1, W_2, b_2, ...] with W_l [d_l, d_{l-1}] and b_l [d_l]."""
        raise NotImplementedError("MLP.parameters is not written yet")

    def set_parameters(self, values: list[np.ndarray]) -> None:
        """Replace all parameters; `values` is in the order of `parameters()`."""
        raise NotImplementedError("MLP.set_parameters is not written yet")

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the output for a batch and keep what `backward` needs.

        Shapes: x [N, d_0] -> [N, d_L].
        """
        raise NotImplementedError("MLP.forward is not written yet")

    def backward(self, dy: np.ndarray) -> list[np.ndarray]:
        """Return dL/dparameters, in the order of `parameters()`, for the latest `forward`.

        `dy` is dL/dy of the whole loss: if the loss is a mean over the batch, 1/N is already in
        dy, so sum over the batch here and do not divide again.

        dL/da_L = dy                dL/dW_l = (dL/da_l)^T h_{l-1}      dL/db_l = sum_n dL/da_l
        dL/da_{l-1} = (dL/da_l W_l) * activation'(a_{l-1})

        Shapes: dy [N, d_L] -> arrays of the shapes of the parameters.
        Source: Rumelhart, Hinton and Williams 1986.
        """
        raise NotImplementedError("MLP.backward is not written yet")
