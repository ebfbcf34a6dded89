"""Training with hooks for what differs."""

import torch
from torch.nn import functional as F


class Trainer:
    def __init__(self, model, images, labels, seed, *, rate, weight_decay, nesterov=False):
        self.model, self.images, self.labels = model, images, labels
        self.order = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed + 1)  # of the dropout
        self.optimiser = torch.optim.SGD(
            model.parameters(), lr=rate, momentum=0.9, weight_decay=weight_decay, nesterov=nesterov
        )
        self.standardise()

    def standardise(self):
        flat = self.images.transpose(0, 1).flatten(1).float()
        with torch.no_grad():
            self.model.mean[:] = flat.mean(1)
            self.model.std[:] = flat.std(1)

    def augment(self, x):
        return x

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels)

    def epoch(self, rate):
        self.model.train()
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        losses = []
        permutation = torch.randperm(len(self.images), generator=self.order)
        for chosen in torch.split(permutation.to(self.images.device), 64):
            loss = self.loss(self.model(self.augment(self.images[chosen])), self.labels[chosen])
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            losses.append(loss.detach() * len(chosen))
        return float(torch.stack(losses).sum()) / len(self.images)


class AugmentingTrainer(Trainer):
    """Mirrors and moves every image by itself."""

    shift = 2

    def augment(self, x):
        n, _, h, w = x.shape
        s = self.shift
        x = F.pad(x.float(), (s, s, s, s), mode="replicate")
        rows = torch.randint(2 * s + 1, (n, 1)) + torch.arange(h)
        columns = torch.randint(2 * s + 1, (n, 1)) + torch.arange(w)
        mirrored = torch.rand(n) < 0.5
        columns[mirrored] = columns[mirrored].flip(1)
        n_ = torch.arange(n)[:, None, None]
        return x.permute(0, 2, 3, 1)[n_, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)

    def loss(self, logits, labels):
        return F.cross_entropy(logits, labels, label_smoothing=0.05)
