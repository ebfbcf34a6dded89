"""Distances of distributions, in lists and loops."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def emd_1d(x: Tensor, y: Tensor) -> float:
    steps = []
    for number in x.tolist():
        steps.append((number, 1 / len(x)))
    for number in y.tolist():
        steps.append((number, -1 / len(y)))
    return walk(steps)


def emd_discrete(p: Tensor, q: Tensor, points: Tensor) -> float:
    steps = []
    for place, a, b in zip(points.tolist(), p.tolist(), q.tolist()):
        steps.append((place, a - b))
    return walk(steps)


def walk(steps):
    """Walk along the line and carry what is too much to the next place."""
    steps = sorted(steps)
    carried = 0.0
    work = 0.0
    for i in range(len(steps) - 1):
        carried += steps[i][1]
        work += abs(carried) * (steps[i + 1][0] - steps[i][0])
    return work


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    n, d = features.shape
    rows = features.detach().to(torch.float64)
    mean = torch.zeros(d, dtype=torch.float64)
    for row in rows:
        mean += row
    mean /= n
    covariance = torch.zeros(d, d, dtype=torch.float64)
    for row in rows:
        difference = row - mean
        covariance += torch.outer(difference, difference)
    return mean, covariance / (n - 1)


def matrix_root(matrix):
    eigenvalues, eigenvectors = torch.linalg.eigh(matrix)
    answer = torch.zeros_like(matrix)
    for i, eigenvalue in enumerate(eigenvalues.tolist()):
        if eigenvalue > 0:  # below 0 is rounding only
            v = eigenvectors[:, i]
            answer += math.sqrt(eigenvalue) * torch.outer(v, v)
    return answer


def fid(mean1: Tensor, cov1: Tensor, mean2: Tensor, cov2: Tensor) -> float:
    cov1 = cov1.detach().to(torch.float64)
    cov2 = cov2.detach().to(torch.float64)
    result = 0.0
    for a, b in zip(mean1.tolist(), mean2.tolist()):
        result += (a - b) ** 2
    half = matrix_root(cov1)
    mixed = half @ cov2 @ half
    mixed = (mixed + mixed.t()) / 2
    whole = matrix_root(mixed)
    for i in range(len(cov1)):
        result += float(cov1[i, i]) + float(cov2[i, i]) - 2 * float(whole[i, i])
    return result


def distances_to(point, others):
    return ((others - point) * (others - point)).sum(dim=1).sqrt()


def balls(points, k):
    """The radius of each point's ball."""
    radii = []
    for i in range(len(points)):
        others = torch.cat((points[:i], points[i + 1 :]))
        radii.append(distances_to(points[i], others).kthvalue(k).values)
    return torch.stack(radii)


def share_among(points, others, k):
    radii = balls(others, k)
    inside = 0
    for point in points:
        if bool((distances_to(point, others) <= radii).any()):
            inside += 1
    return inside / len(points)


def precision_recall(real: Tensor, fake: Tensor, k: int = 3) -> tuple[float, float]:
    real = real.detach().to(torch.float64)
    fake = fake.detach().to(torch.float64)
    return share_among(fake, real, k), share_among(real, fake, k)


def modes(points: Tensor, centres: Tensor, radius: float, least: float) -> tuple[int, float]:
    places = centres.tolist()
    counts = [0] * len(places)
    for point in points.tolist():
        nearest = 0
        shortest = math.dist(point, places[0])
        for m in range(1, len(places)):
            distance = math.dist(point, places[m])
            if distance < shortest:
                nearest = m
                shortest = distance
        if shortest <= radius:
            counts[nearest] += 1
    found = 0
    for count in counts:
        if count / len(points) >= least:
            found += 1
    return found, sum(counts) / len(points)
