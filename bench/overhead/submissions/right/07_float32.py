"""Single precision, as networks use it."""


def softmax(z):
    z = z.astype(np.float32)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).astype(np.float32)


def cross_entropy(z, y):
    return np.float32(-np.log(np.maximum(softmax(z), 1e-30))[np.arange(len(y)), y].mean())


def sgd_step(params, grads, lr):
    return [(p - lr * g).astype(np.float32) for p, g in zip(params, grads, strict=True)]
