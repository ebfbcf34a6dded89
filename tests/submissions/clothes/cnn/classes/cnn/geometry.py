"""Where the kernel lies: the arithmetic of windows."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Axis:
    """One axis of an image and the kernel's steps along it."""

    n: int
    k: int
    padding: int = 0
    stride: int = 1
    dilation: int = 1

    @property
    def out(self) -> int:
        free = self.n + 2 * self.padding - (1 + self.dilation * (self.k - 1))
        if free < 0:
            raise ValueError("The kernel does not fit once")
        return 1 + free // self.stride

    def positions(self, device) -> torch.Tensor:
        """Return the pixel under each entry of each position, in the padded image: [out, k]."""
        starts = torch.arange(self.out, device=device) * self.stride
        return starts[:, None] + torch.arange(self.k, device=device) * self.dilation


class Windows:
    """All windows of a batch of images, as columns of a matrix (im2col)."""

    def __init__(self, shape, kh, kw, padding=0, stride=1, dilation=1, device=None):
        self.n, self.c, self.h, self.w = shape
        self.padding = padding
        rows = Axis(self.h, kh, padding, stride, dilation)
        columns = Axis(self.w, kw, padding, stride, dilation)
        self.out = (rows.out, columns.out)
        width = self.w + 2 * padding
        i, j = rows.positions(device), columns.positions(device)
        # [H', W', kh, kw] -> [H' W', kh kw]
        place = i[:, None, :, None] * width + j[None, :, None, :]
        self.place = place.reshape(self.out[0] * self.out[1], kh * kw)

    def padded(self, x):
        p = self.padding
        big = x.new_zeros((self.n, self.c, self.h + 2 * p, self.w + 2 * p))
        big[:, :, p : p + self.h, p : p + self.w].copy_(x)
        return big

    def gather(self, x):
        """Shapes: [N, C, H, W] -> [N, C, H' W', kh kw]."""
        return self.padded(x).flatten(2)[:, :, self.place]

    def scatter(self, g):
        """Give gradients back to their pixels, the adjoint of gather."""
        p = self.padding
        big = g.new_zeros((self.n, self.c, (self.h + 2 * p) * (self.w + 2 * p)))
        big.index_add_(2, self.place.reshape(-1), g.flatten(2))
        big = big.view(self.n, self.c, self.h + 2 * p, self.w + 2 * p)
        return big[:, :, p : p + self.h, p : p + self.w].contiguous()
