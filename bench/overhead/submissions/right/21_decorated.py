"""Decorators round everything."""

import functools


def counted(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


@counted
def linear_forward(x, w, b):
    return np.add(np.matmul(x, w), b)


@counted
def sgd_step(params, grads, lr):
    return list(map(lambda pair: pair[0] - lr * pair[1], zip(params, grads, strict=True)))
