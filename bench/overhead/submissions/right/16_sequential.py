"""A network as a list of layers."""


class MLP(nn.Sequential):
    def __init__(self, d, h, k):
        super().__init__(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, k))
