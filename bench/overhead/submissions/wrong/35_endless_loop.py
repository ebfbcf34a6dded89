"""Never comes back from one function."""


def linear_forward(x, w, b):
    out = x @ w + b
    while not np.array_equal(out, x):
        out = x @ w + b
    return out
