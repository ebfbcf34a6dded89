"""A network without nn.Linear."""


class MLP(nn.Module):
    def __init__(self, d, h, k):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(h, d) / d**0.5)
        self.b1 = nn.Parameter(torch.zeros(h))
        self.w2 = nn.Parameter(torch.randn(k, h) / h**0.5)
        self.b2 = nn.Parameter(torch.zeros(k))

    def forward(self, x):
        hidden = torch.maximum(x @ self.w1.T + self.b1, torch.zeros(()))
        return hidden @ self.w2.T + self.b2
