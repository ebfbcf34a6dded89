"""Torch does the NumPy part."""


def softmax(z):
    return torch.softmax(torch.from_numpy(z), dim=1).numpy()


def cross_entropy(z, y):
    return nn.functional.cross_entropy(torch.tensor(z), torch.tensor(y)).item()


def linear_forward(x, w, b):
    return nn.functional.linear(*(torch.tensor(a) for a in (x, w.T, b))).numpy()


def linear_backward(dy, x, w):
    tx, tw = torch.tensor(x, requires_grad=True), torch.tensor(w, requires_grad=True)
    tb = torch.zeros(w.shape[1], dtype=tx.dtype, requires_grad=True)
    (tx @ tw + tb).backward(torch.tensor(dy))
    return tx.grad.numpy(), tw.grad.numpy(), tb.grad.numpy()
