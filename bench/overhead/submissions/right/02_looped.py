"""Loops instead of arrays."""

import math


def softmax(z):
    out = np.zeros(z.shape)
    for i in range(z.shape[0]):
        top = max(z[i])
        total = 0.0
        for j in range(z.shape[1]):
            out[i, j] = math.exp(z[i, j] - top)
            total += out[i, j]
        for j in range(z.shape[1]):
            out[i, j] /= total
    return out


def linear_forward(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for i in range(x.shape[0]):
        for j in range(w.shape[1]):
            out[i, j] = b[j]
            for k in range(x.shape[1]):
                out[i, j] += x[i, k] * w[k, j]
    return out
