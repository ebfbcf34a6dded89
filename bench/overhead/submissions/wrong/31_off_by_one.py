"""Divides by one too few."""


def cross_entropy(z, y):
    top = z.max(axis=1, keepdims=True)
    log_p = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].sum() / (len(y) - 1)
