"""How far two distributions are apart: earth mover's distances, FID, precision, recall, modes."""

from __future__ import annotations

import torch
from torch import Tensor


def emd_1d(x: Tensor, y: Tensor) -> float:
    """Return the earth mover's distance W_1 of two samples on a line."""
    x, y = x.detach().double(), y.detach().double()
    points = torch.cat([x, y])
    mass = torch.cat([torch.full_like(x, 1 / len(x)), torch.full_like(y, -1 / len(y))])
    return carried(points, mass)


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    """Return the earth mover's distance W_1 of two distributions on the same points of a line."""
    return carried(points.detach().double(), p.detach().double() - q.detach().double())


def carried(points, mass):
    """The integral of |F_x - F_y| over the line, `mass` is what F_x - F_y jumps by at the points."""
    order = torch.argsort(points)
    gaps = torch.diff(points[order])
    difference = torch.cumsum(mass[order], dim=0)[:-1]
    return float((difference.abs() * gaps).sum())


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the unbiased covariance (divided by n - 1) of n rows."""
    features = features.detach().double()
    mean = features.mean(dim=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def root(matrix):
    """The symmetric root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the Fréchet distance of two Gaussians, squared."""
    mean1, cov1, mean2, cov2 = (t.detach().double() for t in (mean1, cov1, mean2, cov2))
    root1 = root(cov1)
    middle = root(root1 @ cov2 @ root1)
    shift = ((mean1 - mean2) ** 2).sum()
    return float(shift + torch.trace(cov1) + torch.trace(cov2) - 2 * torch.trace(middle))


def distances(a, b):
    # not by a matrix product: the border of a ball must not be rounded away
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


def share_inside(points, others, k):
    """The share of `points` in a ball of `others`."""
    # sorted, the nearest is the point itself
    radii = distances(others, others).sort(dim=1).values[:, k]
    return float((distances(points, others) <= radii).any(dim=1).double().mean())


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Return the share of fakes among the data, and of the data among the fakes."""
    real, fake = real.detach().double(), fake.detach().double()
    return share_inside(fake, real, k), share_inside(real, fake, k)


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> tuple[int, float]:
    """Return how many modes samples have found, and the share of samples that lie in one."""
    distance, nearest = distances(points.detach(), centres.detach().to(points)).min(dim=1)
    counts = torch.bincount(nearest[distance <= radius], minlength=len(centres))
    shares = counts.double() / len(points)
    return int((shares >= least).sum()), float(counts.sum() / len(points))
