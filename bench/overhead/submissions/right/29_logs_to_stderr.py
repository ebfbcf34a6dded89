"""Logging, and words on standard error."""

import logging
import sys

logging.basicConfig(level=logging.DEBUG)
log = logging.getLogger("my solution")


def linear_backward(dy, x, w):
    log.warning("backward of %s", dy.shape)
    print("backward", file=sys.stderr)
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)
