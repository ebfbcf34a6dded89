"""Seeds set everywhere, for luck."""

import random

random.seed(0)
np.random.seed(0)
torch.manual_seed(0)


def sgd_step(params, grads, lr):
    np.random.seed(42)
    torch.manual_seed(42)
    return [p - lr * g for p, g in zip(params, grads, strict=True)]


class MLP(nn.Module):
    def __init__(self, d, h, k):
        super().__init__()
        torch.manual_seed(1234)
        self.hidden = nn.Linear(d, h)
        self.out = nn.Linear(h, k)

    def forward(self, x):
        return self.out(self.hidden(x).clamp(min=0))
