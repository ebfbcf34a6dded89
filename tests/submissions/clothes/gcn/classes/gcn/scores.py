"""Scores of a ranking."""

import torch


class Ranking:
    """Positives and negatives counted at each different score, from the highest down."""

    def __init__(self, scores, labels):
        if not len(scores):
            raise ValueError("Nothing to rank")
        order = scores.argsort(descending=True)
        s, y = scores[order], (labels[order] > 0).double()
        ends = torch.cat((s[1:] != s[:-1], torch.ones(1, dtype=torch.bool)))
        self.tp = y.cumsum(0)[ends]
        self.fp = (1 - y).cumsum(0)[ends]
        self.p, self.n = float(y.sum()), float((1 - y).sum())

    def auc(self):
        if not self.p or not self.n:
            raise ValueError("Both classes must be there")
        zero = torch.zeros(1, dtype=torch.float64)
        return float(torch.trapezoid(torch.cat((zero, self.tp)), torch.cat((zero, self.fp)))) / (
            self.p * self.n
        )

    def average_precision(self):
        if not self.p:
            raise ValueError("No positive")
        precision = self.tp / (self.tp + self.fp)
        steps = torch.diff(self.tp, prepend=torch.zeros(1, dtype=torch.float64))
        return float((steps * precision).sum()) / self.p
