"""The parts of the network."""

import torch
from torch import nn


class Norms:
    """Makes the norm of a name."""

    makers = {
        "none": lambda c: None,
        "batch": lambda c: nn.BatchNorm2d(c),
        "layer": lambda c: nn.GroupNorm(num_groups=1, num_channels=c),
        "group": lambda c: nn.GroupNorm(num_groups=4, num_channels=c),
    }

    @classmethod
    def check(cls, name):
        if name not in cls.makers:
            raise ValueError(f"Unknown norm: {name}")


class NormedConv(nn.Module):
    def __init__(self, c_in, c_out, norm, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(
            c_in, c_out, kernel_size=3, padding=1, stride=stride, bias=(norm == "none")
        )
        self.norm = Norms.makers[norm](c_out)

    def forward(self, x):
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)


class Shortcut(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.c_out, self.stride = c_out, stride

    def forward(self, x):
        small = x[:, :, :: self.stride, :: self.stride]
        out = x.new_zeros(len(x), self.c_out, *small.shape[2:])
        out[:, : x.shape[1]] = small
        return out


class ResidualBlock(nn.Module):
    def __init__(self, c_in, c_out, norm, stride, residual):
        super().__init__()
        self.first = NormedConv(c_in, c_out, norm, stride)
        self.second = NormedConv(c_out, c_out, norm)
        self.shortcut = None
        if residual:
            same = c_in == c_out and stride == 1
            self.shortcut = nn.Identity() if same else Shortcut(c_in, c_out, stride)
        self.relu = nn.ReLU()

    def forward(self, h):
        f = self.second(self.relu(self.first(h)))
        return self.relu(f if self.shortcut is None else f + self.shortcut(h))


class Standardise(nn.Module):
    def forward(self, images, mean, std):
        return (images.to(mean.dtype) - mean[:, None, None]) / std[:, None, None]
