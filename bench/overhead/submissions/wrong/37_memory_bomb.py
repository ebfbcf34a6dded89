"""Fills memory; stops at 12 GiB, so that a machine without limits survives the benchmark."""


def linear_forward(x, w, b):
    blocks = []
    for _ in range(192):
        blocks.append(np.ones(64 * 2**20 // 8))
    return x @ w + b
