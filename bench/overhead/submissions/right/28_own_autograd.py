"""A backward pass written out."""


class Relu(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * (x > 0)


class MLP(nn.Module):
    def __init__(self, d, h, k):
        super().__init__()
        self.l1 = nn.Linear(d, h)
        self.l2 = nn.Linear(h, k)

    def forward(self, x):
        return self.l2(Relu.apply(self.l1(x)))
