from __future__ import annotations

import logging
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

torch.set_default_dtype(torch.float64)
log = logging.getLogger("gan.metrics")


class Moments(NamedTuple):
    mean: Tensor
    cov: Tensor


class PrecisionRecall(NamedTuple):
    precision: float
    recall: float


class Modes(NamedTuple):
    count: int
    share: float


def _np(x):
    return x.detach().cpu().numpy().astype(np.float64)


def emd_1d(x: Tensor, y: Tensor) -> float:
    x, y = np.sort(_np(x)), np.sort(_np(y))
    t = np.sort(np.concatenate([x, y]))
    fx = np.searchsorted(x, t[:-1], side="right") / len(x)
    fy = np.searchsorted(y, t[:-1], side="right") / len(y)
    return np.sum(np.abs(fx - fy) * np.diff(t))


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    p, q, t = _np(p), _np(q), _np(points)
    order = np.argsort(t)
    flow = np.cumsum((p - q)[order])
    return np.abs(flow[:-1]) @ np.diff(t[order])


def statistics(features: Tensor) -> Moments:
    rows = _np(features)
    cov = np.cov(rows, rowvar=False).reshape(rows.shape[1], rows.shape[1])
    return Moments(torch.from_numpy(rows.mean(axis=0)), torch.from_numpy(cov))


def _root(matrix):
    w, v = np.linalg.eigh(matrix)
    return v @ np.diag(np.sqrt(np.maximum(w, 0))) @ v.T


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    m1, c1, m2, c2 = map(_np, (mean1, cov1, mean2, cov2))
    half = _root(c1)
    # the trace of a root is the sum of the eigenvalues' roots
    w = np.linalg.eigvalsh(half @ c2 @ half)
    overlap = np.sqrt(np.clip(w, 0, None)).sum()
    return np.sum((m1 - m2) ** 2) + np.trace(c1) + np.trace(c2) - 2 * overlap


def _distances(a, b):
    return np.stack([np.sqrt(((point - b) ** 2).sum(axis=1)) for point in a])


def _radii(points, k):
    d = _distances(points, points)
    np.fill_diagonal(d, np.inf)
    return np.partition(d, k - 1, axis=1)[:, k - 1]


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> PrecisionRecall:
    real, fake = _np(real), _np(fake)
    d = _distances(fake, real)
    log.debug("%d fakes, %d data", *d.shape)
    precision = (d <= _radii(real, k)[None, :]).any(axis=1).mean()
    recall = (d <= _radii(fake, k)[:, None]).any(axis=0).mean()
    return PrecisionRecall(precision, recall)


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> Modes:
    d = _distances(_np(points), _np(centres))
    nearest = d.argmin(axis=1)
    inside = d.min(axis=1) <= radius
    shares = np.bincount(nearest[inside], minlength=len(centres)) / len(points)
    return Modes(int(np.count_nonzero(shares >= least)), float(inside.mean()))
