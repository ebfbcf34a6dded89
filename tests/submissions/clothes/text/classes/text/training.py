"""Batches, the optimiser and the loop, for every network of the lab."""

from __future__ import annotations

import torch
from torch.nn import functional

from .layers import Schedule


class Batches:
    """Endless batches: every text once a round, and rounds in orders of their own."""

    def __init__(self, ids, mask, y, size, generator):
        self.ids, self.mask, self.y = ids, mask, y
        self.size, self.generator = size, generator

    def __iter__(self):
        while True:
            order = torch.randperm(self.y.numel(), generator=self.generator).to(self.y.device)
            yield from map(self.batch, order.split(self.size))

    def batch(self, places):
        mask = self.mask[places]
        # padding changes nothing, so what all texts of a batch have of it is cut off
        length = max(1, int(mask.sum(dim=1).max()))
        return self.ids[places][:, :length], mask[:, :length], self.y[places]


class Optimiser:
    """AdamW in groups: the head or the rest, matrices or vectors."""

    def __init__(self, model, recipe):
        self.recipe = recipe
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.schedule = Schedule(int(recipe.warmup * recipe.steps), recipe.steps)
        self.peaks, groups = [], []
        for name, p in model.named_parameters():
            if p.requires_grad:
                self.peaks.append(recipe.head_rate if self.of_head(name) else recipe.rate)
                groups.append({"params": [p], "weight_decay": self.decay(p)})
        self.adamw = torch.optim.AdamW(groups, lr=0.0)

    @staticmethod
    def of_head(name):
        return name.partition(".")[0] == "head"

    def decay(self, p):
        return self.recipe.decay if p.dim() > 1 else 0.0

    def step(self, number, loss):
        self.adamw.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.recipe.clip)
        factor = self.schedule(number)
        for group, peak in zip(self.adamw.param_groups, self.peaks):
            group["lr"] = factor * peak
        self.adamw.step()


class Trainer:
    def __init__(self, model, recipe, seed):
        self.model, self.recipe = model, recipe
        torch.manual_seed(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def run(self, ids, mask, y):
        if self.recipe.steps > 0:
            self.model.train()
            optimiser = Optimiser(self.model, self.recipe)
            batches = Batches(ids, mask, y, self.recipe.batch, self.generator)
            for number, (words, real, labels) in zip(range(self.recipe.steps), batches):
                optimiser.step(number, functional.cross_entropy(self.model(words, real), labels))
        return self.model.eval()
