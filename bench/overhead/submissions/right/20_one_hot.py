"""Labels as one-hot rows."""


def cross_entropy(z, y):
    one_hot = np.eye(z.shape[1])[y]
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return -np.sum(one_hot * log_p) / z.shape[0]
