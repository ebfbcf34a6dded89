"""Each operation is a class with forward and backward."""

import torch

from .geometry import Windows


class Convolution:
    def __init__(self, x, w, stride, padding, dilation):
        self.x, self.w = x, w
        self.windows = Windows(x.shape, *w.shape[2:], padding, stride, dilation, x.device)
        self.matrix = w.flatten(1)

    def columns(self):
        c = self.windows.gather(self.x)  # [N, C, P, K]
        return c.permute(0, 2, 1, 3).flatten(2)  # [N, P, C K]

    def forward(self, b=None):
        y = torch.matmul(self.columns(), self.matrix.T)
        if b is not None:
            y = y + b
        return y.transpose(1, 2).reshape(len(self.x), -1, *self.windows.out)

    def backward(self, dy):
        g = dy.flatten(2).transpose(1, 2)  # [N, P, O]
        dw = torch.tensordot(g, self.columns(), dims=([0, 1], [0, 1])).view_as(self.w)
        dcolumns = torch.matmul(g, self.matrix)  # [N, P, C K]
        channels = self.x.shape[1]
        dcolumns = dcolumns.unflatten(2, (channels, -1)).transpose(1, 2)
        return self.windows.scatter(dcolumns), dw, g.sum(dim=(0, 1))


class MaxPooling:
    def __init__(self, x, k, stride):
        self.windows = Windows(x.shape, k, k, 0, stride, 1, x.device)
        self.columns = self.windows.gather(x)

    def forward(self):
        return self.columns.amax(dim=-1).unflatten(2, self.windows.out)

    def backward(self, dy):
        is_max = self.columns == self.columns.amax(dim=-1, keepdim=True)
        first = is_max & (is_max.cumsum(dim=-1) == 1)
        return self.windows.scatter(dy.flatten(2).unsqueeze(-1) * first)


class BatchNormalisation:
    def __init__(self, x, eps):
        self.shape = x.shape
        self.rows = x.movedim(1, -1).reshape(-1, x.shape[1])  # [m, C]
        self.eps = eps

    def back(self, rows):
        moved = rows.view(self.shape[0], *self.shape[2:], self.shape[1])
        return moved.movedim(-1, 1).contiguous()

    def statistics(self):
        mean = self.rows.mean(dim=0)
        return mean, (self.rows - mean).square().mean(dim=0)

    def normalise(self, mean, variance):
        return (self.rows - mean) / (variance + self.eps).sqrt()


class SmoothedLabels:
    def __init__(self, labels, classes, eps, like):
        other = eps / (classes - 1)
        self.q = like.new_full((len(labels), classes), other)
        self.q.scatter_(1, labels.unsqueeze(1), 1.0 - eps)
