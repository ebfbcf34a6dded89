"""Double precision forced everywhere."""


def softmax(z):
    z = np.asarray(z, dtype=np.float64)
    e = np.exp(z - np.amax(z, axis=-1)[:, None])
    return np.divide(e, np.sum(e, axis=-1)[:, None], dtype=np.float64)


def linear_forward(x, w, b):
    return np.asarray(x, np.float64).dot(np.asarray(w, np.float64)) + np.float64(1) * b
