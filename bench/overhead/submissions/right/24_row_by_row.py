"""apply_along_axis and vectorize."""

_exp = np.vectorize(np.exp)


def softmax(z):
    def one(row):
        e = _exp(row - row.max())
        return e / e.sum()

    return np.apply_along_axis(one, 1, z)


def linear_forward(x, w, b):
    return np.array([row @ w + b for row in x])
