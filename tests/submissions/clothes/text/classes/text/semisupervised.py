"""Learning from texts without labels: a network's own answers, round by round."""

from __future__ import annotations

import torch
from torch.nn import functional


class Corpus:
    """Texts of one width: ids, mask, and labels where there are any."""

    def __init__(self, ids, mask, y=None):
        self.ids, self.mask, self.y = ids, mask, y

    def __len__(self):
        return self.ids.size(0)

    def widened(self, width):
        more = (0, width - self.ids.size(1))
        return Corpus(functional.pad(self.ids, more), functional.pad(self.mask, more), self.y)

    def labelled(self, places, y):
        return Corpus(self.ids[places], self.mask[places], y)

    def __add__(self, other):
        width = max(self.ids.size(1), other.ids.size(1))
        a, b = self.widened(width), other.widened(width)
        return Corpus(*(torch.cat(pair) for pair in zip(a.tensors(), b.tensors())))

    def tensors(self):
        return self.ids, self.mask, self.y


class SelfTraining:
    """`teach(corpus, steps)` trains a network; `rounds` names steps and the share of answers taken."""

    def __init__(self, teach, rounds):
        self.teach, self.rounds = teach, rounds

    @torch.no_grad()
    def answers(self, network, texts):
        parts = zip(texts.ids.split(100), texts.mask.split(100))
        return torch.cat([network(i, m).log_softmax(dim=1) for i, m in parts]).max(dim=1)

    def certain(self, network, texts, share):
        sure, guess = self.answers(network, texts)
        places = sure.topk(int(share * len(texts))).indices
        return texts.labelled(places, guess[places])

    def run(self, labelled, unlabelled):
        network, known = None, labelled
        for steps, share in self.rounds:
            if network is not None and len(unlabelled):
                known = labelled + self.certain(network, unlabelled, share)
            network = self.teach(known, steps)
        return network
