"""Distances of distributions and counts of modes: by hand, on drawn samples, and at their edges."""

import math

import numpy as np
import pytest
import torch

from grader.suite import as_number, require, require_unchanged

EXACT = 1e-4
M1, C1 = torch.tensor([1.0, 0.0]), torch.tensor([[2.0, 0.5], [0.5, 1.0]])
M2, C2 = torch.tensor([0.0, 0.0]), torch.tensor([[1.0, -0.3], [-0.3, 2.0]])


def pair(answer):
    """Take what a function of two results returned."""
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected two results")
    return answer


def close(found, wanted, what, slack=EXACT):
    """Fail unless a number is the wanted one."""
    require(abs(found - wanted) <= slack * (1 + abs(wanted)), f"{what}: {found:.6g}")


# ------------------------------------------------------------------------------ earth movers


@pytest.mark.item("distances", weight=2)
@pytest.mark.visibility("visible")
@pytest.mark.hint("The carried mass times the gap, summed over gaps: positions count.")
def test_emd_discrete_by_hand(student, as_real):
    """Three points: 0.6 at 0, 1, 2, and 3.0 where the last lies at 10."""
    p, q = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.2, 0.3, 0.5])
    for last, wanted in ((2.0, 0.6), (10.0, 3.0)):
        points = torch.tensor([0.0, 1.0, last])
        close(as_real(student.metrics.emd_discrete(p, q, points)), wanted, "the work")


@pytest.mark.item("distances", weight=2)
@pytest.mark.visibility("visible")
@pytest.mark.hint("Of unequal sizes points carry 1/n and 1/m: integrate |F_x - F_y|.")
def test_emd_1d_by_hand(student, as_real):
    """(0,0,1,1) against (0,1,1,1) is 0.25, (0,1) against (0,1,2) is 0.5."""
    for x, y, wanted in (((0, 0, 1, 1), (0, 1, 1, 1), 0.25), ((0, 1), (0, 1, 2), 0.5)):
        x, y = torch.tensor(x).float(), torch.tensor(y).float()
        close(as_real(student.metrics.emd_1d(x, y)), wanted, "the work")


@pytest.mark.item("distances")
@pytest.mark.hint("Sort by position first, and carry masses along with it.")
def test_emd_of_drawn_distributions(student, reference, as_real, rng):
    """Distributions on points that come in any order, negative ones too."""
    for k in (2, 7, 30):
        p, q = (torch.tensor(rng.dirichlet([1.0] * k)) for _ in range(2))
        points = torch.tensor(rng.normal(0, 3, k))
        wanted = reference.metrics.emd_discrete(p, q, points)
        close(as_real(student.metrics.emd_discrete(p, q, points)), wanted, "in any order")


@pytest.mark.item("distances")
@pytest.mark.hint("Sort both samples; where sizes differ no pairing of sorted points will do.")
def test_emd_of_drawn_samples(student, reference, normal, as_real, rng):
    """Samples of equal and unequal sizes, unsorted; a shift moves every grain by itself."""
    for n, m in ((12, 12), (9, 14), (1, 6)):
        x, y = normal(rng, n), 1 + 2 * normal(rng, m)
        close(as_real(student.metrics.emd_1d(x, y)), reference.metrics.emd_1d(x, y), f"{n} and {m}")
    x = normal(rng, 20)
    close(as_real(student.metrics.emd_1d(x, x + 3)), 3.0, "shifted by 3")
    close(as_real(student.metrics.emd_1d(x, x.flip(0))), 0.0, "of a sample and itself", 1e-5)


# ------------------------------------------------------------------------------ Fréchet


@pytest.mark.item("distances")
@pytest.mark.hint("Divide by n - 1, rows are samples, columns features.")
def test_statistics(student, reference, normal, as_numbers, require_near, rng):
    """Mean and unbiased covariance of rows."""
    for n, d in ((2, 3), (40, 5)):
        x = normal(rng, n, d) @ normal(rng, d, d) + 3
        mean, cov = pair(student.metrics.statistics(x))
        ours = reference.metrics.statistics(x)
        require_near(as_numbers(mean, (d,)), ours[0], what="of the mean the largest error")
        require_near(as_numbers(cov, (d, d)), ours[1], what="of the covariance the largest error")


@pytest.mark.item("distances", weight=2)
@pytest.mark.visibility("visible")
@pytest.mark.hint("The root is that of a matrix: elementwise roots give another number.")
def test_fid_by_hand(student, as_real):
    """Two Gaussians of the plane: 1.57542589; with means 2 apart 4.57542589."""
    close(as_real(student.metrics.fid(M1, C1, M2, C2)), 1.57542589, "FID")
    close(as_real(student.metrics.fid(2 * M1, C1, M2, C2)), 4.57542589, "FID, means 2 apart")


@pytest.mark.item("distances")
@pytest.mark.hint("C1 C2 is not symmetric: take the root of C1^1/2 C2 C1^1/2, in float64.")
def test_fid_of_drawn_gaussians(student, reference, normal, as_real, rng):
    """FID of drawn Gaussians; 4 times as much for features twice as large, 0 of one and itself."""
    for d in (1, 3, 12):
        a, b = (normal(rng, 3 * d, d) @ normal(rng, d, d) for _ in range(2))
        one, two = reference.metrics.statistics(a), reference.metrics.statistics(b + 1)
        wanted = reference.metrics.fid(*one, *two)
        close(as_real(student.metrics.fid(*one, *two)), wanted, "FID", 1e-3)
        doubled = (2 * one[0], 4 * one[1], 2 * two[0], 4 * two[1])
        close(as_real(student.metrics.fid(*doubled)), 4 * wanted, "FID of doubled features", 1e-3)
        size = float(one[1].trace())
        close(as_real(student.metrics.fid(*one, *one)) / size, 0.0, "FID of one and itself", 1e-3)


@pytest.mark.item("distances")
@pytest.mark.hint("Eigenvalues that rounding leaves a little below 0 are 0: clamp before the root.")
def test_fid_of_singular_covariances(student, reference, normal, as_real, rng):
    """Covariances without full rank give a finite FID, as of few samples in many dimensions."""
    ones, unit, zero = torch.ones(2, 2), torch.eye(2), torch.zeros(2)
    close(as_real(student.metrics.fid(zero, ones, zero, unit)), 1.17157288, "FID")
    a, b = (reference.metrics.statistics(normal(rng, 4, 9)) for _ in range(2))
    close(as_real(student.metrics.fid(*a, *b)), reference.metrics.fid(*a, *b), "FID", 1e-3)


# ------------------------------------------------------------------------------ precision, recall


@pytest.mark.item("distances")
@pytest.mark.hint("Precision: fakes in balls of the data. Recall: data in balls of the fakes.")
def test_precision_and_recall(student, reference, normal, as_real, rng):
    """Both shares of drawn samples, and they change places with the samples."""
    for n, m, k in ((30, 30, 3), (40, 25, 1), (12, 50, 5)):
        real, fake = normal(rng, n, 3), 0.5 * normal(rng, m, 3) + 0.3
        wanted = reference.metrics.precision_recall(real, fake, k)
        for arguments, both in (((real, fake), wanted), ((fake, real), wanted[::-1])):
            found = pair(student.metrics.precision_recall(*arguments, k))
            for share, ours in zip(map(as_real, found), both, strict=True):
                require(abs(share - ours) < 1e-6, f"a share of {share:.3f}, expected {ours:.3f}")


@pytest.mark.item("distances", weight=0.5)
@pytest.mark.hint("A point is no neighbour of its own; the border of a ball belongs to it.")
def test_precision_and_recall_on_a_line(student, as_real):
    """Points at 0, 1, 3 and one at 4.5, 5 or 5.5: the balls reach exactly 2 from the last."""
    real = torch.tensor([[0.0], [1.0], [3.0]])
    for at, wanted in ((4.5, 0.5), (5.0, 0.5), (5.5, 0.0)):
        fake = torch.tensor([[at], [100.0]])
        precision = as_real(pair(student.metrics.precision_recall(real, fake, 1))[0])
        require(abs(precision - wanted) < 1e-6, f"a point at {at}: precision {precision}")
        recall = as_real(pair(student.metrics.precision_recall(fake, real, 1))[1])
        require(abs(recall - wanted) < 1e-6, f"with the sets exchanged: recall {recall}")


# ------------------------------------------------------------------------------ modes


def counted(student, as_real, *arguments):
    """Return the student's count and share."""
    count, share = pair(student.metrics.modes(*arguments))
    number = as_number(count)
    require(number == int(number), "a whole number of modes, please")
    return int(number), as_real(share)


@pytest.mark.item("modes", weight=2)
@pytest.mark.visibility("visible")
@pytest.mark.hint("A sample is in the mode of its nearest centre, if that is near enough.")
def test_modes_by_hand(student, as_real):
    """Ten samples around two of three centres, and one far from all."""
    centres = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]])
    points = torch.tensor([[0.1, 0.0]] * 6 + [[2.0, 0.2]] * 3 + [[1.0, 1.0]])
    found = counted(student, as_real, points, centres, 0.3, 0.1)
    require(found[0] == 2, f"{found[0]} modes")
    close(found[1], 0.9, "the share")


@pytest.mark.item("modes", weight=2)
@pytest.mark.hint("`least` is a share of all samples, not of those that lie in a mode.")
def test_modes_of_drawn_samples(student, reference, normal, as_real, ring, rng):
    """Samples of a drawn ring whose modes have unequal shares, by several bounds."""
    drawn = ring(rng, 400)
    keep = torch.tensor(rng.random(400) < 0.5) | (drawn.points[:, 0] > 0)
    points = torch.cat([drawn.points[keep], normal(rng, 80, 2)])
    for radius, least in ((0.3, 0.02), (0.1, 0.03), (0.3, 0.12), (1.0, 0.06)):
        wanted = reference.metrics.modes(points, drawn.centres, radius, least)
        found = counted(student, as_real, points, drawn.centres, radius, least)
        require(found[0] == wanted[0], f"{found[0]} modes, expected {wanted[0]}")
        close(found[1], wanted[1], "the share")
    # At most `radius` and at least `least`: one sample of four, half a unit away.
    edge, centres = torch.tensor([[0.5, 0.0], *[[8.0, 0.0]] * 3]), torch.tensor([[0.0, 0], [8, 0]])
    found = counted(student, as_real, edge, centres, 0.5, 0.25)
    require(found == (2, 1.0), f"{found} for a sample at the border of a mode")


@pytest.mark.item("modes")
@pytest.mark.hint("A sample counts once, in the nearest mode, even where two balls meet.")
def test_modes_that_overlap(student, as_real):
    """Where balls overlap a sample counts for the nearer centre alone."""
    centres = torch.tensor([[0.0], [1.0]])
    points = torch.tensor([[0.4]] * 5)
    count, share = counted(student, as_real, points, centres, 0.8, 0.5)
    require(count == 1, f"{count} modes of samples at one place")
    close(share, 1.0, "the share")


@pytest.mark.item("modes", weight=0.5)
@pytest.mark.hint("Without samples near it a mode is not found; none at all is 0 modes.")
def test_no_modes(student, as_real):
    """Samples far from all centres: no modes, a share of 0."""
    count, share = counted(student, as_real, torch.full((9, 2), 50.0), torch.eye(2), 0.3, 0.02)
    require(count == 0 and abs(share) < 1e-9, f"{count} modes and a share of {share}")


@pytest.mark.item("distances", weight=0.5)
@pytest.mark.depends("test_emd_of_drawn_samples", "test_fid_of_drawn_gaussians")
@pytest.mark.hint("x -= x.mean(0) changes the caller's rows, and sort_() its order.")
def test_measures_change_no_tensor(student, normal, rng):
    """No measure changes what it is given."""
    x, y = normal(rng, 9), normal(rng, 7)
    require_unchanged(student, student.metrics.emd_1d, x, y)
    p, q = (torch.tensor(rng.dirichlet([1.0] * 4)) for _ in range(2))
    require_unchanged(student, student.metrics.emd_discrete, p, q, torch.tensor([3.0, 1, 0, 2]))
    require_unchanged(student, student.metrics.statistics, normal(rng, 9, 3))
    require_unchanged(student, student.metrics.fid, M1, C1, M2, C2)
    real, fake = normal(rng, 9, 2), normal(rng, 8, 2)
    require_unchanged(student, student.metrics.precision_recall, real, fake, 2)
    require_unchanged(student, student.metrics.modes, real, fake, 0.5, 0.1)


@pytest.mark.item("distances", weight=0.5)
@pytest.mark.depends("test_emd_of_drawn_samples")
@pytest.mark.hint("Two Gaussians around one mean: the work is |s1 - s2| times the root of 2/pi.")
def test_emd_of_two_gaussians(student, as_real, rng):
    """N(0, 1) against N(0, 4), by 4,001 quantiles each: the root of 2/pi, 0.798."""
    levels = (np.arange(4001) + 0.5) / 4001
    quantiles = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor(levels))
    order = torch.tensor(rng.permutation(4001))
    found = as_real(student.metrics.emd_1d(quantiles[order], 2 * quantiles))
    require(abs(found - math.sqrt(2 / math.pi)) < 2e-3, f"the work is {found:.5f}")
