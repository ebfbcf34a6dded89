"""What masked language modelling hides."""

from __future__ import annotations

import torch


class Masker:
    MASK, RANDOM = 0.8, 0.1  # shares of the selected words

    def __init__(self, special, vocab, mask_id, ignored, generator=None):
        ordinary = torch.ones(vocab, dtype=torch.bool, device=special.device)
        ordinary[special[(special >= 0) & (special < vocab)]] = False
        self.ordinary = ordinary
        self.words = ordinary.nonzero().squeeze(1)
        self.mask_id, self.ignored, self.generator = mask_id, ignored, generator

    def coin(self, like, p):
        chances = torch.full(like.shape, float(p), device=like.device)
        return torch.bernoulli(chances, generator=self.generator).bool()

    def __call__(self, ids, p):
        selected = self.coin(ids, p) & self.ordinary[ids]
        labels = ids.masked_fill(~selected, self.ignored)
        masked = selected & self.coin(ids, self.MASK)
        inputs = ids.masked_fill(masked, self.mask_id)
        # of those that are left, one in two
        swapped = selected & ~masked & self.coin(ids, self.RANDOM / (1 - self.MASK))
        count = int(swapped.sum())
        if count:
            drawn = torch.randint(
                self.words.numel(), (count,), generator=self.generator, device=ids.device
            )
            inputs[swapped] = self.words[drawn]
        return inputs, labels
