"""The reference's measures against scipy and counting by hand."""

import pytest
import torch
from scipy.linalg import sqrtm
from scipy.stats import wasserstein_distance


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(("n", "m"), [(9, 9), (7, 12), (1, 5)])
def test_earth_movers_are_those_of_scipy(gan, n, m):
    x, y = normal(0, n), 1 + 2 * normal(1, m)
    assert gan.metrics.emd_1d(x, y) == pytest.approx(wasserstein_distance(x, y))
    p, q = (normal(seed, n).square() for seed in (2, 3))
    p, q, points = p / p.sum(), q / q.sum(), normal(4, n)
    wanted = wasserstein_distance(points, points, p, q)
    assert gan.metrics.emd_discrete(p, q, points) == pytest.approx(wanted)


@pytest.mark.parametrize("d", [1, 4, 9])
def test_fid_is_that_of_a_root_by_scipy(gan, d):
    one, two = (gan.metrics.statistics(normal(seed, 3 * d, d) + seed) for seed in (0, 1))
    root = torch.tensor(sqrtm((one[1] @ two[1]).numpy()).real)
    wanted = (one[0] - two[0]).square().sum() + (one[1] + two[1] - 2 * root).trace()
    assert gan.metrics.fid(*one, *two) == pytest.approx(float(wanted), rel=1e-6)


def test_fid_of_the_handouts_gaussians(gan):
    c1 = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
    c2 = torch.tensor([[1.0, -0.3], [-0.3, 2.0]])
    zero = torch.zeros(2)
    assert gan.metrics.fid(torch.tensor([1.0, 0]), c1, zero, c2) == pytest.approx(1.57542589)
    assert gan.metrics.fid(zero, torch.ones(2, 2), zero, torch.eye(2)) == pytest.approx(1.17157288)


def test_statistics_are_those_of_torch(gan):
    x = normal(0, 20, 4)
    mean, covariance = gan.metrics.statistics(x)
    torch.testing.assert_close(mean, x.mean(dim=0))
    torch.testing.assert_close(covariance, torch.cov(x.T))


def test_precision_and_recall_of_a_set_and_itself(gan):
    x = normal(0, 40, 3)
    assert gan.metrics.precision_recall(x, x, 3) == (1.0, 1.0)
    far = gan.metrics.precision_recall(x, x + 100, 3)
    assert far == (0.0, 0.0)


def test_modes_of_a_perfect_ring(gan):
    data = gan.study.load_data("synthetic-digits")
    count, share = gan.metrics.modes(data["points"], data["centres"], 0.3, 0.02)
    assert count == 8 and share > 0.98
    assert gan.study.coverage(data["points"], data["centres"]) > 0.95
