"""The published tensors of an encoder, by our names and by layers."""

from __future__ import annotations

import re

from torch import Tensor


class Published:
    LAYER = re.compile(r"layers\.(\d+)\.")

    def __init__(self, pretrained, our_name):
        self.tensors = {
            our_name(name): tensor
            for name, tensor in pretrained.items()
            if isinstance(tensor, Tensor)
        }
        self.depth = 1 + max(map(self.layer_of, self.tensors))

    def layer_of(self, name):
        found = self.LAYER.match(name)
        return int(found[1]) if found else -1

    def count(self, wanted):
        count = self.depth if wanted is None else wanted
        if not 1 <= count <= self.depth:
            raise ValueError(f"Number of layers: {count}, but there are 1 to {self.depth}")
        return count

    def first(self, count):
        return {k: v for k, v in self.tensors.items() if self.layer_of(k) < count}
