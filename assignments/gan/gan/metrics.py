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
    raise NotImplementedError("emd_1d is not written yet")


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    """Return the earth mover's distance W_1 of two distributions on the same points of a line.

    Shapes: p [k], q [k], each sums to 1; points [k], in any order -> a number.
    """
    raise NotImplementedError("emd_discrete is not written yet")


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the **unbiased** covariance (divided by n - 1) of n rows.

    Shapes: features [n, d], n >= 2 -> [d], [d, d].
    """
    raise NotImplementedError("statistics is not written yet")


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    """Return the Fréchet distance of two Gaussians, squared as everybody reports it.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1^1/2 C2 C1^1/2)^1/2), with roots of **matrices**. Covariances
    may be singular. Compute in float64.
    Shapes: means [d], covariances [d, d], symmetric -> a number.
    Source: Heusel et al. 2017, eq. 6; Dowson and Landau 1982.
    """
    raise NotImplementedError("fid is not written yet")


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    """Return the share of fakes among the data, and of the data among the fakes.

    A point is among others if it lies within one of their balls; the ball of a point reaches to
    its k-th nearest neighbour of its own set, itself not counted, its border included.
    Shapes: real [n, d], fake [m, d], n, m > k -> precision, recall.
    Source: Kynkäänniemi et al. 2019, eq. 1 and 2.
    """
    raise NotImplementedError("precision_recall is not written yet")


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> tuple[int, float]:
    """Return how many modes samples have found, and the share of samples that lie in one.

    A sample lies in the mode of its nearest centre if that is at most `radius` away. A mode is
    found if at least the share `least` of **all** samples lie in it.
    Shapes: points [n, d], centres [m, d] -> count, share.
    """
    raise NotImplementedError("modes is not written yet")
