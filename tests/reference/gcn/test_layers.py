"""The reference's layers against dense algebra, autograd and counting by hand."""

import itertools

import numpy as np
import pytest
import torch

STAR = torch.tensor([[1, 0], [1, 2], [1, 3]])


def random_edges(seed, n, count):
    return torch.randint(n, (count, 2), generator=torch.Generator().manual_seed(seed))


def dense_adjacency(edges, n):
    """Return A as sets of pairs say it, entry by entry."""
    joined = {frozenset(pair) for pair in edges.tolist() if pair[0] != pair[1]}
    rows = [[float(frozenset((i, j)) in joined) for j in range(n)] for i in range(n)]
    return torch.tensor(rows, dtype=torch.float64)


def test_undirected_keeps_what_a_set_of_pairs_keeps(gcn):
    edges = random_edges(0, 12, 60)
    found = gcn.layers.undirected(edges)
    wanted = sorted({(min(p), max(p)) for p in edges.tolist() if p[0] != p[1]})
    assert [tuple(pair) for pair in found.tolist()] == wanted
    assert gcn.layers.undirected(edges[:0]).shape == (0, 2)


@pytest.mark.parametrize("mode", ["sym", "row"])
@pytest.mark.parametrize("weight", [0.0, 1.0, 2.5])
def test_norm_adj_is_the_dense_formula(gcn, mode, weight):
    n = 14
    edges = random_edges(1, 10, 25)  # nodes 10 to 13 are alone
    looped = dense_adjacency(edges, n) + weight * torch.eye(n, dtype=torch.float64)
    inverse = torch.nan_to_num(1 / looped.sum(dim=1), posinf=0.0)
    root = inverse.sqrt()
    wanted = root[:, None] * looped * root if mode == "sym" else inverse[:, None] * looped
    found = gcn.layers.dense(gcn.layers.norm_adj(edges, n, weight, mode), n)
    torch.testing.assert_close(found.double(), wanted, rtol=1e-5, atol=1e-7)


def test_spectrum_of_the_symmetric_form(gcn):
    edges = random_edges(2, 15, 40)
    matrix = gcn.layers.dense(gcn.layers.norm_adj(edges, 15), 15).double()
    values = torch.linalg.eigvalsh(matrix)
    degree = dense_adjacency(edges, 15).sum(dim=1) + 1
    assert float(values.max()) == pytest.approx(1.0, abs=1e-5)
    torch.testing.assert_close(matrix @ degree.sqrt(), degree.sqrt(), rtol=1e-5, atol=1e-5)


def test_star_of_the_lecture(gcn):
    laplacian = torch.eye(4) - gcn.layers.dense(gcn.layers.norm_adj(STAR, 4, 0.0), 4)
    values = torch.linalg.eigvalsh(laplacian)
    torch.testing.assert_close(values, torch.tensor([0.0, 1, 1, 2]), rtol=0, atol=1e-5)
    h = torch.tensor([[1.0], [0], [0], [0]])
    for _ in range(200):
        h = gcn.layers.propagate(gcn.layers.norm_adj(STAR, 4), h)
    wanted = torch.tensor([0.2, 0.28284, 0.2, 0.2])
    torch.testing.assert_close(h[:, 0], wanted, rtol=0, atol=1e-4)


def test_gradients_of_the_layer_are_its_slopes(gcn):
    adj = gcn.layers.norm_adj(random_edges(3, 6, 9), 6)
    adj = adj[0], adj[1].double()
    shapes = ((6, 3), (3, 2), (2,))
    parts = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(
        lambda x, w, b: gcn.layers.gcn_layer(x, adj, w, b), tuple(parts)
    )


@pytest.mark.parametrize("mode", ["PN", "PN-SI"])
def test_gradients_of_pair_norm_are_its_slopes(gcn, mode):
    x = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: gcn.layers.pair_norm(x, 1.5, mode), (x,))
    same = torch.ones(4, 2, requires_grad=True)
    gcn.layers.pair_norm(same, 1.0, mode).sum().backward()
    assert torch.isfinite(same.grad).all()


def test_sparse_features_give_the_same_layer(gcn):
    x = (torch.rand(8, 20) < 0.2).float()
    adj, w, b = gcn.layers.norm_adj(random_edges(4, 8, 12), 8), torch.randn(20, 3), torch.randn(3)
    dense = gcn.layers.gcn_layer(x, adj, w, b)
    torch.testing.assert_close(gcn.layers.gcn_layer(x.to_sparse(), adj, w, b), dense)


def test_drop_edge_is_a_fair_coin_for_every_edge(gcn):
    edges = torch.combinations(torch.arange(30))  # 435 edges
    generator = torch.Generator().manual_seed(0)
    counts = torch.zeros(900)
    for _ in range(400):
        kept = gcn.layers.drop_edge(edges, 0.3, generator)
        counts[kept[:, 0] * 30 + kept[:, 1]] += 1
    share = counts[edges[:, 0] * 30 + edges[:, 1]] / 400
    assert float(share.mean()) == pytest.approx(0.7, abs=0.006)  # sd 0.0011
    assert float(share.std()) == pytest.approx((0.21 / 400) ** 0.5, rel=0.2)


@pytest.mark.parametrize("matched", [False, True])
def test_negatives_are_drawn_from_all_pairs_that_are_no_edges(gcn, matched):
    n = 9
    edges = torch.tensor([[i, (i + 1) % n] for i in range(n)] + [[0, 4], [0, 5], [0, 6]])
    free = {p for p in itertools.combinations(range(n), 2)} - {
        tuple(p) for p in gcn.layers.undirected(edges).tolist()
    }
    seen = {}
    generator = torch.Generator().manual_seed(1)
    for _ in range(600):
        parts = gcn.layers.split_edges(edges, n, generator, val=0.1, test=0.2, matched=matched)
        drawn = [tuple(p) for k in ("val_neg", "test_neg") for p in parts[k].tolist()]
        assert len(drawn) == len(set(drawn)) == 3
        for pair in drawn:
            seen[pair] = seen.get(pair, 0) + 1
    assert seen.keys() == free
    if not matched:
        # 24 pairs, 75 times each on average with sd 8.5.
        assert max(seen.values()) < 2 * min(seen.values())


def test_auc_is_the_share_of_pairs_in_order(gcn):
    rng = np.random.default_rng(0)
    for levels in (2, 4, 50):
        scores, labels = rng.integers(0, levels, 70), rng.integers(0, 2, 70)
        pairs = [(p > q) + 0.5 * (p == q) for p in scores[labels == 1] for q in scores[labels == 0]]
        found = gcn.layers.auc(torch.tensor(scores / levels), torch.tensor(labels))
        assert found == pytest.approx(np.mean(pairs))


def test_average_precision_is_the_area_below_the_steps(gcn):
    rng = np.random.default_rng(1)
    for levels in (2, 4, 50):
        scores, labels = rng.integers(0, levels, 70), rng.integers(0, 2, 70)
        area, recall = 0.0, 0.0
        for level in range(levels, -1, -1):
            chosen = labels[scores >= level]
            if len(chosen):
                area += (chosen.sum() / labels.sum() - recall) * chosen.mean()
                recall = chosen.sum() / labels.sum()
        found = gcn.layers.average_precision(torch.tensor(scores / levels), torch.tensor(labels))
        assert found == pytest.approx(area)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA: torch finds no GPU")
def test_everything_follows_its_input_to_the_gpu(gcn):
    edges = random_edges(5, 20, 60).cuda()
    x = torch.rand(20, 6, device="cuda")
    y = torch.arange(20, device="cuda") % 3
    parts = gcn.layers.split_edges(edges, 20, torch.Generator().manual_seed(0))
    assert {part.device.type for part in parts.values()} == {"cuda"}
    assert gcn.layers.drop_edge(edges, 0.5, torch.Generator().manual_seed(0)).is_cuda
    for model in (
        gcn.model.train_node(x, edges, y, torch.arange(9, device="cuda"), 0, epochs=3),
        gcn.model.train_link(x, parts["train"], 0, epochs=3, pair_norm="PN"),
        gcn.model.train_open(x, parts["train"], 0),
    ):
        assert model(x, edges).is_cuda
