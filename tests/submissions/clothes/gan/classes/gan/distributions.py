"""Things that distances are measured between."""

from __future__ import annotations

import torch


def exact(x):
    return torch.as_tensor(x).detach().to(torch.float64)


class OnALine:
    """Mass at points of a line."""

    def __init__(self, points, mass=None):
        points = exact(points).flatten()
        mass = torch.ones_like(points) / len(points) if mass is None else exact(mass)
        self.points, order = points.sort()
        self.sums = torch.cat((mass.new_zeros(1), mass[order].cumsum(0)))

    def cdf(self, t):
        return self.sums[torch.searchsorted(self.points, t, right=True)]

    def earth_mover(self, other):
        t = torch.cat((self.points, other.points)).unique()  # sorted
        apart = (self.cdf(t) - other.cdf(t)).abs()
        return float(torch.dot(apart[:-1], t.diff()))


class Gaussian:
    """A mean and a covariance."""

    def __init__(self, mean, cov):
        self.mean, self.cov = exact(mean), exact(cov)

    @classmethod
    def fitted(cls, rows):
        rows = exact(rows)
        return cls(rows.mean(0), torch.atleast_2d(torch.cov(rows.T)))  # cov divides by n - 1

    def root(self):
        w, v = torch.linalg.eigh(self.cov)
        return v @ torch.diag(w.clamp_min(0).sqrt()) @ v.T

    def frechet(self, other):
        # The trace of (C1^1/2 C2 C1^1/2)^1/2 is the sum of singular values of C1^1/2 C2^1/2.
        overlap = torch.linalg.svdvals(self.root() @ other.root()).sum()
        shift = (self.mean - other.mean).square().sum()
        return float(shift + self.cov.trace() + other.cov.trace() - 2 * overlap)


class Manifold:
    """Balls around points, each up to the k-th neighbour."""

    rows = 64  # that are compared at a time

    def __init__(self, points, k):
        self.points = exact(points)
        # of k + 1 smallest distances the point's own is the first
        nearest = [d.topk(k + 1, dim=1, largest=False) for d in self.distances(self.points)]
        self.radii = torch.cat([n.values.max(dim=1).values for n in nearest])

    def distances(self, points):
        for some in points.split(self.rows):
            yield (some.unsqueeze(1) - self.points).square().sum(-1).sqrt()

    def share(self, points):
        inside = [(d <= self.radii).any(1) for d in self.distances(exact(points))]
        return torch.cat(inside).double().mean().item()


class Mixture:
    def __init__(self, centres, radius):
        self.centres, self.radius = exact(centres), radius

    def shares(self, points):
        """Of each mode the share of samples in it."""
        points = exact(points)
        d = (points[:, None] - self.centres[None]).square().sum(-1).sqrt()
        nearest = d.argmin(1)
        near = d.gather(1, nearest[:, None])[:, 0] <= self.radius
        counts = torch.zeros(len(self.centres), dtype=torch.float64)
        counts.index_add_(0, nearest, near.double())
        return counts / len(points)
