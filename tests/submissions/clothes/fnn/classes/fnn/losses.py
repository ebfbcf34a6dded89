"""Softmax and its loss."""

import numpy as np


class SoftmaxCrossEntropy:
    """Mean cross-entropy of logits [N, K] and labels [N]."""

    @staticmethod
    def log_probabilities(z):
        top = np.amax(z, axis=-1)[..., None]
        return z - (top + np.log(np.sum(np.exp(z - top), axis=-1))[..., None])

    @classmethod
    def probabilities(cls, z):
        return np.exp(cls.log_probabilities(z))

    def __call__(self, logits, labels):
        self.n = logits.shape[0]
        self.labels = labels
        self.p = self.probabilities(logits)
        logs = self.log_probabilities(logits)
        return float(-np.take_along_axis(logs, labels[:, None], axis=1).mean())

    def gradient(self):
        target = np.zeros_like(self.p)
        np.put_along_axis(target, self.labels[:, None], 1.0, axis=1)
        return (self.p - target) / self.n
