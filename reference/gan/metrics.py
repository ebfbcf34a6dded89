"""How far two distributions are apart: earth mover's distances, FID, precision, recall, modes."""

from __future__ import annotations

import torch
from torch import Tensor


def emd_1d(x: Tensor, y: Tensor) -> float:
    """Return the earth mover's distance W_1 of two samples on a line.

    Each point of x carries 1/n, each of y 1/m: the integral of |F_x - F_y|. Sizes may differ.
    Shapes: x [n], y [m], in any order -> a number.
    Source: Vallender 1974.
    """
    # BEGIN SOLUTION
    points = torch.cat([x, y]).double()  # [n + m]
    mass = torch.full_like(points, 1 / len(x))
    mass[len(x) :] = -1 / len(y)
    return _moved(points, mass)
    # END SOLUTION


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    """Return the earth mover's distance W_1 of two distributions on the same points of a line.

    Shapes: p [k], q [k], each sums to 1; points [k], in any order -> a number.
    """
    # BEGIN SOLUTION
    return _moved(points.double(), p.double() - q.double())
    # END SOLUTION


# BEGIN SOLUTION
def _moved(points: Tensor, mass: Tensor) -> float:
    """Return the work of levelling `mass`, which sums to 0, along a line. Shapes: [k], [k]."""
    order = points.argsort()
    gaps = points[order].diff()  # [k - 1]
    carried = mass[order].cumsum(dim=0)[:-1]  # [k - 1], over each gap
    return float((gaps * carried.abs()).sum())


# END SOLUTION


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the **unbiased** covariance (divided by n - 1) of n rows.

    Shapes: features [n, d], n >= 2 -> [d], [d, d].
    """
    # BEGIN SOLUTION
    rows = features.double()
    mean = rows.mean(dim=0)  # [d]
    centred = rows - mean  # [n, d]
    return mean, centred.T @ centred / (len(rows) - 1)
    # END SOLUTION


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the Fréchet distance of two Gaussians, squared as everybody reports it.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2), with roots of **matrices**. Covariances
    may be singular. Compute in float64.
    Shapes: means [d], covariances [d, d], symmetric -> a number.
    Source: Heusel et al. 2017, eq. 6; Dowson and Landau 1982.
    """
    # BEGIN SOLUTION
    mean1, cov1, mean2, cov2 = (part.double() for part in (mean1, cov1, mean2, cov2))
    root = _root(cov1)
    # The product is symmetric and has the eigenvalues of C1 C2: rounding may leave one below 0.
    cross = torch.linalg.eigvalsh(root @ cov2 @ root).clamp(min=0).sqrt().sum()
    far = (mean1 - mean2).square().sum()
    return float(far + cov1.trace() + cov2.trace() - 2 * cross)
    # END SOLUTION


# BEGIN SOLUTION
def _root(matrix: Tensor) -> Tensor:
    """Return the root of a symmetric matrix without negative eigenvalues. Shapes: [d, d]."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


# END SOLUTION


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Return the share of fakes among the data, and of the data among the fakes.

    A point is among others if it lies within one of their balls; the ball of a point reaches to
    its k-th nearest neighbour of its own set, itself not counted, its border included.
    Shapes: real [n, d], fake [m, d], n, m > k -> precision, recall.
    Source: Kynkäänniemi et al. 2019, eq. 1 and 2.
    """
    # BEGIN SOLUTION
    real, fake = real.double(), fake.double()
    between = _distances(real, fake)  # [n, m]
    precision = (between <= _reach(real, k)[:, None]).any(dim=0)  # [m]
    recall = (between <= _reach(fake, k)[None, :]).any(dim=1)  # [n]
    return float(precision.double().mean()), float(recall.double().mean())
    # END SOLUTION


# BEGIN SOLUTION
def _reach(points: Tensor, k: int) -> Tensor:
    """Return the distance of each point to its k-th neighbour. Shapes: [n, d] -> [n]."""
    return _distances(points, points).kthvalue(k + 1, dim=1).values  # the nearest is the point


def _distances(a: Tensor, b: Tensor) -> Tensor:
    """Return all distances from exact differences. Shapes: a [n, d], b [m, d] -> [n, m]."""
    # The usual way by a product of matrices rounds: a point would lie some way from itself.
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")


# END SOLUTION


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> tuple[int, float]:
    """Return how many modes samples have found, and the share of samples that lie in one.

    A sample lies in the mode of its nearest centre if that is at most `radius` away. A mode is
    found if at least the share `least` of **all** samples lie in it.
    Shapes: points [n, d], centres [m, d] -> count, share.
    """
    # BEGIN SOLUTION
    distance, nearest = torch.cdist(points.double(), centres.double()).min(dim=1)  # [n], [n]
    inside = distance <= radius  # [n]
    counts = torch.bincount(nearest[inside], minlength=len(centres))  # [m]
    return int((counts >= least * len(points)).sum()), float(inside.double().mean())
    # END SOLUTION
