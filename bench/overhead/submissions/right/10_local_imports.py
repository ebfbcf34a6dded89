"""Imports where they are used."""


def softmax(z):
    import numpy

    e = numpy.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


class MLP(nn.Module):
    def __init__(self, d, h, k):
        super().__init__()
        from torch.nn import Linear

        self.a, self.b = Linear(d, h), Linear(h, k)

    def forward(self, x):
        import torch.nn.functional as F

        return self.b(F.relu(self.a(x)))
