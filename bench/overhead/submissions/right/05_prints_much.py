"""Debugging output left in."""

print("loading my solution", "=" * 60)


def softmax(z):
    for i, row in enumerate(z):
        print("softmax row", i, "=", row)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    print("sums", e.sum(axis=1))
    return e / e.sum(axis=1, keepdims=True)


def linear_forward(x, w, b):
    for _ in range(200):
        print("shapes", x.shape, w.shape, b.shape, "x" * 60)
    return x @ w + b
