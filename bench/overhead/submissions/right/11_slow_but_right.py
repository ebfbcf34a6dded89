"""A very slow exponential: a long series for every number."""


def _exp(v):
    total, term = 1.0, 1.0
    v = v / 1024
    for n in range(1, 10_000):
        term = term * v / n
        total += term
    return total**1024


def softmax(z):
    s = np.maximum(z - z.max(axis=1, keepdims=True), -700)
    e = np.array([[_exp(float(v)) for v in row] for row in s])
    return e / e.sum(axis=1, keepdims=True)
