"""Warnings switched off, the rough way."""

import warnings

warnings.filterwarnings("ignore")
warnings.warn = lambda *args, **kwargs: None


def cross_entropy(z, y):
    warnings.warn("never seen")
    top = z.max(axis=1)
    return (top + np.log(np.exp(z - top[:, None]).sum(axis=1)) - z[np.arange(len(y)), y]).mean()
