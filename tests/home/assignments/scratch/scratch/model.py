"""A model to write with any layer."""


def features(x, w):
    """Return the convolution of x with w, rectified."""
    raise NotImplementedError("features is not written yet")
