"""The model solution of the NumPy part."""


def double(x):
    """Return twice x, shape kept."""
    return 2 * x


def estimate(n):
    """Return an estimate of pi from n terms of Leibniz's series."""
    return 4 * sum((-1) ** k / (2 * k + 1) for k in range(n))
