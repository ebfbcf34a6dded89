from __future__ import annotations

from torch import Tensor

from .distributions import Gaussian, Manifold, Mixture, OnALine


def emd_1d(x: Tensor, y: Tensor) -> float:
    return OnALine(x).earth_mover(OnALine(y))


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    return OnALine(points, p).earth_mover(OnALine(points, q))


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    fitted = Gaussian.fitted(features)
    return fitted.mean, fitted.cov


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    return Gaussian(mean1, cov1).frechet(Gaussian(mean2, cov2))


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    return Manifold(real, k).share(fake), Manifold(fake, k).share(real)


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> tuple[int, float]:
    shares = Mixture(centres, radius).shares(points)
    return int((shares >= least).sum()), float(shares.sum())
