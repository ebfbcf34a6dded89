"""The reference's encoder of the open part: a graph autoencoder with messages of one length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import drop_edge, norm_adj, propagate

# BEGIN SOLUTION
# Chosen on validation edges of both graphs: longer training and wider rows gain nothing.
OPEN_DIM, OPEN_RATE, OPEN_EPOCHS = 64, 0.01, 100
OPEN_LENGTH, OPEN_DROP_EDGE = 1.8, 0.3


class NormalisedGAE(nn.Module):
    """z = A l_i / ||l_i|| times 1.8, with l = x W: every node sends a message of one length.

    In a plain GAE a node without neighbours hardly gets an embedding longer than 0, so none of
    its held-out edges is found. Messages of one length mend that.

    Shapes: x [n, in_dim], edges [E, 2] -> [n, OPEN_DIM].
    Source: Ahn and Kim 2021 (variational graph normalized autoencoders), eq. 5.
    """

    def __init__(self, in_dim: int) -> None:
        """Make an encoder of `in_dim` features a node."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_dim, OPEN_DIM))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        """Return the embeddings; edges are dropped in training mode."""
        if self.training:
            edges = drop_edge(edges, OPEN_DROP_EDGE)
        messages = functional.normalize(x @ self.weight, dim=1)  # [n, OPEN_DIM]
        return propagate(norm_adj(edges, len(x)), OPEN_LENGTH * messages)


# END SOLUTION
