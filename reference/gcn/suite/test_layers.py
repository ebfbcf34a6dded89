"""Adjacency, convolution, DropEdge and PairNorm, against vectors by hand and the reference."""

import numpy as np
import pytest
import torch

from grader.suite import as_tensor, assert_matches, expect_raises, require

STAR = torch.tensor([[1, 0], [1, 2], [1, 3]])  # node 1 in the middle
MODES = ("sym", "row")
# float32 keeps 7 digits: sums of a few dozen terms are right to six, no other formula is.
EXACT = 1e-5


def tensor(*rows, dtype=torch.float32):
    """Return a tensor of the rows."""
    return torch.tensor(rows, dtype=dtype)


def as_adjacency(answer, n):
    """Take what norm_adj returned for (index, weight); return it as a matrix [n, n]."""
    require(type(answer) in (tuple, list) and len(answer) == 2, "expected (index, weight)")
    index = as_tensor(answer[0], (2, None), torch.int64)
    weight = as_tensor(answer[1], (index.shape[1],), torch.float32).detach()
    inside = bool((index >= 0).all() and (index < n).all())
    require(inside, f"index names nodes outside 0..{n - 1}")
    places = index[0] * n + index[1]
    require(len(torch.unique(places)) == len(places), "a place of the matrix is stored twice")
    return torch.zeros(n, n).index_put((index[0], index[1]), weight)


def as_pairs(answer):
    """Take a value for a list of edges."""
    return as_tensor(answer, (None, 2), torch.int64)


def random_adjacency(rng, n, entries, dtype=torch.float32):
    """Return a random adjacency that is not symmetric, every place at most once."""
    places = rng.choice(n * n, entries, replace=False)
    index = torch.tensor(np.stack([places // n, places % n]))
    return index, torch.tensor(rng.normal(0, 1, entries)).to(dtype)


def random_tensor(rng, *shape, dtype=torch.float32):
    """Return normal numbers of some shape."""
    return torch.tensor(rng.normal(0, 1, shape)).to(dtype)


# ------------------------------------------------------------------------------ adjacency


@pytest.mark.item("adjacency")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Degrees count the loop: 4 in the middle, 2 elsewhere. Divide by sqrt(d_i d_j).")
def test_star_by_hand(student):
    """A star of four nodes with self-loops, symmetric normalisation."""
    found = as_adjacency(student.layers.norm_adj(STAR, 4), 4)
    s = 0.353553
    wanted = tensor([0.5, s, 0, 0], [s, 0.25, s, s], [0, s, 0.5, 0], [0, s, 0, 0.5])
    assert_matches(found, wanted, atol=2e-6)


@pytest.mark.item("adjacency")
@pytest.mark.hint("Smaller node first, each edge once, no self-loops, sorted by u and then by v.")
def test_undirected(student, reference, messy_edges, rng):
    """Messy edge lists come out clean: sorted, once, u < v, no self-loops."""
    for n, count in ((6, 9), (40, 100)):
        edges = messy_edges(rng, n, count)
        wanted = reference.layers.undirected(edges)
        assert_matches(as_pairs(student.layers.undirected(edges)), wanted)
    loops = torch.tensor([[3, 3], [0, 0]])
    assert_matches(as_pairs(student.layers.undirected(loops)), torch.zeros(0, 2, dtype=torch.int64))


@pytest.mark.item("adjacency", weight=2)
@pytest.mark.hint("Start from undirected(edges); add self_loops to the diagonal and to degrees.")
@pytest.mark.parametrize("mode", MODES)
def test_norm_adj(student, reference, messy_edges, rng, mode):
    """The normalised adjacency of messy random graphs, with self-loops of several weights."""
    for n, weight in ((7, 1.0), (30, 1.0), (30, 0.0), (30, 2.5), (25, 0.5)):
        edges = messy_edges(rng, n, 2 * n)
        found = as_adjacency(student.layers.norm_adj(edges, n, weight, mode), n)
        wanted = as_adjacency(reference.layers.norm_adj(edges, n, weight, mode), n)
        assert_matches(found, wanted, rtol=EXACT)


@pytest.mark.item("adjacency")
@pytest.mark.hint("1 / 0 is inf: where the degree is 0 put 0 instead.")
@pytest.mark.parametrize("mode", MODES)
def test_a_node_without_neighbours_gives_zeros(student, mode):
    """Without self-loops a node without neighbours has a row of zeros, not inf or NaN."""
    found = as_adjacency(
        student.layers.norm_adj(tensor([2, 4], dtype=torch.int64), 5, 0.0, mode), 5
    )
    wanted = torch.zeros(5, 5)
    wanted[2, 4] = wanted[4, 2] = 1.0
    assert_matches(found, wanted, rtol=EXACT)


@pytest.mark.item("adjacency", weight=0.5)
@pytest.mark.hint("A list without edges has shape [0, 2]; with self-loops A is the unit matrix.")
def test_a_graph_without_edges(student):
    """No edges at all: the unit matrix with self-loops, zeros without."""
    none = torch.zeros(0, 2, dtype=torch.int64)
    for weight, wanted in ((1.0, torch.eye(4)), (0.0, torch.zeros(4, 4))):
        assert_matches(as_adjacency(student.layers.norm_adj(none, 4, weight), 4), wanted)


@pytest.mark.item("adjacency")
@pytest.mark.hint("L = I - norm_adj without self-loops; its eigenvalues lie in [0, 2].")
def test_laplacian_of_the_star(student):
    """The star's Laplacian: eigenvalues 0, 1, 1, 2, and z'Lz = 14."""
    laplacian = torch.eye(4) - as_adjacency(student.layers.norm_adj(STAR, 4, 0.0), 4)
    assert_matches(torch.linalg.eigvalsh(laplacian), tensor(0, 1, 1, 2), atol=1e-5)
    root = torch.tensor([1.0, 3.0, 1.0, 1.0]).sqrt()
    y = root * torch.tensor([1.0, -1.0, 2.0, 0.0])
    assert_matches(float(y @ laplacian @ y), 14.0, rtol=EXACT)


@pytest.mark.item("adjacency")
@pytest.mark.hint("Repeated propagation turns every signal towards sqrt(d), d with the self-loop.")
def test_two_hundred_steps_end_at_sqrt_d(student, messy_edges, rng):
    """Over-smoothing: A^200 e_0 is a multiple of sqrt(d)."""
    found = as_adjacency(student.layers.norm_adj(STAR, 4), 4)
    power = torch.linalg.matrix_power(found.double(), 200)
    assert_matches(power[:, 0], tensor(0.2, 0.282843, 0.2, 0.2, dtype=torch.float64), rtol=1e-4)
    path = torch.tensor([[k, k + 1] for k in range(11)] + messy_edges(rng, 12, 20).tolist())
    found = as_adjacency(student.layers.norm_adj(path, 12), 12).double()
    degree = torch.zeros(12, 12).index_put((path[:, 0], path[:, 1]), torch.tensor(1.0))
    degree = 1 + ((degree + degree.T) > 0).fill_diagonal_(False).sum(dim=1).double()
    root = degree.sqrt() / degree.sum().sqrt()
    power = torch.linalg.matrix_power(found, 2000)
    assert_matches(power, torch.outer(root, root), rtol=1e-3)


@pytest.mark.item("adjacency", weight=0.5)
@pytest.mark.depends("test_norm_adj")
@pytest.mark.hint("Raise ValueError for a mode that is neither sym nor row.")
def test_unknown_normalisation_is_refused(student):
    """An unknown normalisation raises ValueError."""
    with expect_raises(ValueError):
        student.layers.norm_adj(STAR, 4, 1.0, "no such mode")


# ------------------------------------------------------------------------------ convolution


@pytest.mark.item("convolution")
@pytest.mark.visibility("visible")
@pytest.mark.hint("out_i = sum_j a_ij h_j: index[0] holds i, index[1] holds j.")
def test_propagate_by_hand(student):
    """Three entries, two of them in one row."""
    adj = (torch.tensor([[0, 0, 2], [1, 2, 0]]), tensor(2.0, 1.0, -1.0)[0:3])
    h = tensor([1, 2], [3, 4], [5, 6])
    assert_matches(student.layers.propagate(adj, h), tensor([11, 14], [0, 0], [-1, -2]))


@pytest.mark.item("convolution")
@pytest.mark.hint("Rows that no entry points to are zero; entries of one row add up.")
def test_propagate(student, reference, rng):
    """A h for adjacencies that are not symmetric, in float32 and float64."""
    for dtype in (torch.float32, torch.float64):
        adj = random_adjacency(rng, 12, 40, dtype)
        h = random_tensor(rng, 12, 5, dtype=dtype)
        wanted = reference.layers.propagate(adj, h)
        assert_matches(student.layers.propagate(adj, h), wanted, rtol=EXACT)


@pytest.mark.item("convolution")
@pytest.mark.hint("A x W + b: the bias is added after A, and there is no activation.")
def test_gcn_layer(student, reference, rng):
    """One layer: A x W + b, from 4 to 7 and from 7 to 2 numbers a node."""
    for d, k in ((4, 7), (7, 2)):
        adj = random_adjacency(rng, 11, 30)
        x, w, b = (random_tensor(rng, *shape) for shape in ((11, d), (d, k), (k,)))
        wanted = reference.layers.gcn_layer(x, adj, w, b)
        assert_matches(student.layers.gcn_layer(x, adj, w, b), wanted, rtol=EXACT)


@pytest.mark.item("convolution")
@pytest.mark.hint("Nodes have no order: number them anew, and the output is the same rows.")
def test_renumbered_nodes_give_the_same_rows(student, messy_edges, rng):
    """Renumbering the nodes renumbers the output of norm_adj and gcn_layer, nothing else."""
    n = 20
    edges, order = messy_edges(rng, n, 40), torch.tensor(rng.permutation(n))
    x, w, b = (random_tensor(rng, *shape) for shape in ((n, 3), (3, 4), (4,)))

    def layer(x, edges):
        adj = student.layers.norm_adj(edges, n)
        require(type(adj) in (tuple, list) and len(adj) == 2, "expected (index, weight)")
        return as_tensor(student.layers.gcn_layer(x, adj, w, b), (n, 4), torch.float32)

    plain = layer(x, edges)
    require(float(plain.std()) > 0.01, "the same number everywhere")
    moved = torch.empty_like(x).index_put((order,), x)  # node i is called order[i] now
    assert_matches(layer(moved, order[edges])[order], plain, rtol=EXACT)


@pytest.mark.item("convolution")
@pytest.mark.hint("Divide each row by its own sum; where the sum is 0 the row stays 0.")
def test_row_normalise(student, reference, rng):
    """Rows sum to 1, rows of zeros stay zero."""
    x = torch.tensor((rng.random((9, 6)) < 0.4) * rng.integers(1, 4, (9, 6)), dtype=torch.float32)
    x[4] = 0.0
    assert_matches(student.layers.row_normalise(x), reference.layers.row_normalise(x), rtol=EXACT)


# ------------------------------------------------------------------------------ DropEdge


def thin(student, edges, p, seed):
    """Call the student's drop_edge with a fresh generator."""
    return as_pairs(student.layers.drop_edge(edges, p, student.torch_generator(seed)))


def numbers(pairs, n):
    """Return one number a pair."""
    return pairs[:, 0] * n + pairs[:, 1]


@pytest.mark.item("drop-edge")
@pytest.mark.hint("Draw once for every edge of undirected(edges), not for each of its directions.")
def test_both_directions_share_one_fate(student, messy_edges, rng):
    """What stays are edges of the graph, each once with u < v, from lists of both directions."""
    edges = messy_edges(rng, 50, 400)
    both = torch.cat([edges, edges.flip(1)])
    low, high = both.min(dim=1).values, both.max(dim=1).values
    every = torch.unique((low * 50 + high)[low != high])
    kept = thin(student, both, 0.5, int(rng.integers(2**31)))
    require(bool((kept[:, 0] < kept[:, 1]).all()), "an edge with u >= v, or a self-loop")
    found = numbers(kept, 50)
    require(len(torch.unique(found)) == len(found), "an edge stands twice")
    require(bool(torch.isin(found, every).all()), "an edge that the graph does not have")
    share = len(kept) / len(every)
    # About 250 edges: the share that stays has sd 0.03. One draw a direction keeps 0.75 or 0.25.
    require(0.3 < share < 0.7, f"p = 0.5 kept {share:.2f} of the edges")


@pytest.mark.item("drop-edge", weight=2)
@pytest.mark.hint("p is the probability to DROP: an edge stays where rand >= p.")
@pytest.mark.parametrize("p", [0.2, 0.7])
def test_the_share_that_is_dropped(student, rng, p):
    """Over many draws an edge is dropped with probability p, wherever it stands."""
    n, draws = 400, 40
    u = torch.arange(n - 1)
    edges = torch.stack([u, u + 1], dim=1)  # a path: 399 edges
    counts = torch.zeros(n * n)
    for _ in range(draws):
        kept = thin(student, edges, p, int(rng.integers(2**31)))
        counts.index_add_(0, numbers(kept, n), torch.ones(len(kept)))
    stays = counts[numbers(edges, n)] / draws
    # 7,980 draws in each half: sd 0.0056 at most, so that 0.035 is more than six of them.
    for half in (stays[: len(edges) // 2], stays[len(edges) // 2 :]):
        mean = float(half.mean())
        require(abs(mean - (1 - p)) < 0.035, f"p = {p} kept {mean:.3f} of the edges")
    # A draw that is made once and for all keeps an edge always or never. Of one edge that happens
    # by chance too, once in 8,000 at p = 0.2; of all 399 together it does not.
    require(bool(((stays > 0) & (stays < 1)).any()), "never drawn anew")


@pytest.mark.item("drop-edge")
@pytest.mark.hint("p = 0 keeps every edge, p = 1 none: rand lies in [0, 1).")
def test_none_and_all(student, reference, messy_edges, rng):
    """A probability of 0 keeps all edges, 1 keeps none, and what is no probability is refused."""
    edges = messy_edges(rng, 15, 30)
    assert_matches(
        numbers(thin(student, edges, 0.0, 1), 15).sort().values,
        numbers(reference.layers.undirected(edges), 15),
    )
    require(len(thin(student, edges, 1.0, 1)) == 0, "p = 1 kept an edge")
    for p in (-0.1, 1.5):
        with expect_raises(ValueError):
            student.layers.drop_edge(edges, p, student.torch_generator(0))


@pytest.mark.item("drop-edge")
@pytest.mark.hint("Pass the generator on to torch.rand.")
def test_the_generator_decides_which_edges_stay(student, messy_edges, rng):
    """Equal generators keep the same edges, other generators others."""
    edges = messy_edges(rng, 60, 200)
    one, same, other = (
        numbers(thin(student, edges, 0.5, seed), 60).sort().values for seed in (4, 4, 5)
    )
    require(torch.equal(one, same), "one generator state kept two different sets of edges")
    require(not torch.equal(one, other), "two generator states kept the same edges")


# ------------------------------------------------------------------------------ PairNorm

POINTS = ((1, 0), (3, 4), (5, 2))


@pytest.mark.item("pair-norm")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Centre over the nodes (columns), then divide by the root of the mean square.")
def test_pair_norm_by_hand(student):
    """Three points in the plane, PN and PN-SI."""
    a, b = 0.866025, 0.707107
    found = student.layers.pair_norm(tensor(*POINTS), 1.0, "PN")
    assert_matches(found, tensor([-a, -a], [0, a], [a, 0]), atol=2e-6)
    found = student.layers.pair_norm(tensor(*POINTS), 1.0, "PN-SI")
    assert_matches(found, tensor([-b, -b], [0, 1], [1, 0]), atol=2e-6)


@pytest.mark.item("pair-norm", weight=2)
@pytest.mark.hint("PN has one factor for all nodes, PN-SI one for each; the mean is over nodes.")
@pytest.mark.parametrize("mode", ["PN", "PN-SI"])
def test_pair_norm(student, reference, rng, mode):
    """PairNorm of random points, in several shapes and scales."""
    for shape, scale in (((9, 4), 1.0), ((4, 9), 0.5), ((50, 3), 3.0), ((6, 1), 1.0)):
        x = 2 + 3 * random_tensor(rng, *shape)
        # A node at the centre has no direction: what keeps 0 / 0 at bay would show there.
        while (x - x.mean(0)).norm(dim=1).min() < 0.3:
            x = 2 + 3 * random_tensor(rng, *shape)
        wanted = reference.layers.pair_norm(x, scale, mode)
        assert_matches(student.layers.pair_norm(x, scale, mode), wanted, rtol=EXACT, atol=1e-5)


@pytest.mark.item("pair-norm")
@pytest.mark.hint("The mean, not the sum, of squared lengths is scale^2 after PN.")
def test_total_distance_is_kept(student, rng):
    """After PN the squared distances of all ordered pairs sum to 2 n^2 scale^2."""
    for n, scale in ((3, 1.0), (17, 2.0)):
        x = tensor(*POINTS) if n == 3 else 5 + random_tensor(rng, n, 6)
        found = as_tensor(student.layers.pair_norm(x, scale, "PN"), tuple(x.shape), torch.float32)
        total = torch.cdist(found.double(), found.double()).square().sum()
        assert_matches(float(total), 2.0 * n**2 * scale**2, rtol=EXACT)


@pytest.mark.item("pair-norm")
@pytest.mark.hint("Centring takes away any shift, the division any common factor.")
def test_shift_and_size_do_not_matter(student, rng):
    """Shifted and scaled points give the same result in both modes."""
    x = random_tensor(rng, 12, 5)
    for mode in ("PN", "PN-SI"):
        plain = as_tensor(student.layers.pair_norm(x, 1.0, mode), (12, 5), torch.float32)
        require(float(plain.std()) > 0.1, "the same number everywhere")
        moved = student.layers.pair_norm(20 * x + torch.arange(5.0), 1.0, mode)
        assert_matches(moved, plain, rtol=1e-4, atol=1e-4)


@pytest.mark.item("pair-norm", weight=0.5)
@pytest.mark.hint("0 / 0 is NaN: keep the divisor above a tiny number.")
def test_zeros_stay_zero(student):
    """Equal nodes give zeros, and so does a node at the mean; no NaN."""
    same = torch.full((4, 3), 2.0)
    for mode in ("PN", "PN-SI"):
        assert_matches(student.layers.pair_norm(same, 1.0, mode), torch.zeros(4, 3), atol=1e-4)
    found = student.layers.pair_norm(tensor([0, 0], [1, 0], [-1, 0]), 1.0, "PN-SI")
    assert_matches(found, tensor([0, 0], [1, 0], [-1, 0]), atol=1e-4)


@pytest.mark.item("pair-norm", weight=0.5)
@pytest.mark.depends("test_pair_norm")
@pytest.mark.hint("The mode none gives x back; any other name raises ValueError.")
def test_none_changes_nothing_and_unknown_modes_are_refused(student, rng):
    """The mode none gives the input back, an unknown mode raises ValueError."""
    x = random_tensor(rng, 5, 3)
    assert_matches(student.layers.pair_norm(x, 2.0, "none"), x)
    with expect_raises(ValueError):
        student.layers.pair_norm(x, 1.0, "no such mode")


@pytest.mark.item("pair-norm")
@pytest.mark.depends("test_norm_adj")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Centre and rescale after each of the forty propagations, with PN.")
def test_pair_norm_keeps_forty_propagations_apart(student, node_task, rng, bar, measured):
    """After forty propagations a linear classifier still tells classes apart, thanks to PN."""
    task = node_task("synthetic-cora", rng)  # it needs no data, and does for every variant
    words = torch.zeros_like(task.x)
    words[task.train] = task.x[task.train]  # of all other nodes only the neighbours can tell
    # Sixty-four random directions keep distances, and cost a twentieth on the way in and out.
    h = words @ random_tensor(rng, words.shape[1], 64) / 8
    adj = student.layers.norm_adj(task.edges, len(h))
    require(type(adj) in (tuple, list) and len(adj) == 2, "expected (index, weight)")
    plain = kept = h
    for _ in range(40):
        plain = as_tensor(student.layers.propagate(adj, plain), tuple(h.shape), torch.float32)
        kept = as_tensor(student.layers.propagate(adj, kept), tuple(h.shape), torch.float32)
        kept = as_tensor(student.layers.pair_norm(kept, 1.0, "PN"), tuple(h.shape), torch.float32)
    measured("forty-plain", linear_accuracy(plain, task))
    bar("forty-pair-norm", linear_accuracy(kept, task))


def linear_accuracy(h, task):
    """Return the test accuracy of a softmax regression on rows of h, trained out here."""
    h = h.detach().double()
    weight = torch.zeros(h.shape[1] + 1, task.classes, dtype=torch.float64, requires_grad=True)
    h = torch.cat([h, torch.ones(len(h), 1, dtype=torch.float64)], dim=1)
    optimiser = torch.optim.Adam([weight], lr=0.1)
    for _ in range(200):
        optimiser.zero_grad()
        logits = h[task.train] @ weight
        loss = torch.nn.functional.cross_entropy(logits, task.y[task.train])
        (loss + 1e-4 * weight.square().sum()).backward()
        optimiser.step()
    with torch.no_grad():
        guess = (h[task.test] @ weight).argmax(dim=1)
    return float((guess == task.y[task.test]).double().mean())
