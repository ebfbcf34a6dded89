"""One line each."""

shift = lambda z: z - z.max(1, keepdims=True)
normal = lambda e: e / e.sum(1, keepdims=True)


def softmax(z):
    return normal(np.exp(shift(z)))


def cross_entropy(z, y):
    return np.mean([np.log(np.exp(r - r.max()).sum()) + r.max() - r[c] for r, c in zip(z, y)])
