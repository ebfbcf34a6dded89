"""Splitting edges, pairs that are none, and what scores are worth: AUC and average precision."""

import numpy as np
import pytest
import torch

from grader.suite import as_number, as_tensor, assert_matches, expect_raises, require

PARTS = ("train", "val", "test", "val_neg", "test_neg")


def split(student, edges, n, seed, **options):
    """Call the student's split_edges; return its five lists, checked for form."""
    answer = student.layers.split_edges(edges, n, student.torch_generator(seed), **options)
    require(type(answer) is dict, "expected a dict")
    require(set(answer) == set(PARTS), f"expected the keys {', '.join(PARTS)}")
    found = {name: as_tensor(answer[name], (None, 2), torch.int64) for name in PARTS}
    for name, pairs in found.items():
        require(bool((pairs[:, 0] < pairs[:, 1]).all()), f"{name}: a pair without u < v")
        inside = bool((pairs >= 0).all() and (pairs < n).all())
        require(inside, f"{name}: a node outside 0..{n - 1}")
    return found


def numbers(pairs, n):
    """Return one number a pair u < v."""
    return pairs[:, 0] * n + pairs[:, 1]


def tangled(rng, n, count):
    """Return a graph in which some nodes have far more edges than others."""
    weight = 1 / (1 + rng.permutation(n)) ** 0.8
    ends = rng.choice(n, (count, 2), p=weight / weight.sum())
    return torch.tensor(ends)


# ------------------------------------------------------------------------------ splits


@pytest.mark.item("split")
@pytest.mark.hint("Clean with undirected first: else the other direction of a test edge trains.")
def test_every_edge_is_in_one_part(student, reference, messy_edges, rng):
    """Train, val and test hold every undirected edge, once, whatever the list looked like."""
    n = 60
    edges = messy_edges(rng, n, 300)
    every = numbers(reference.layers.undirected(edges), n)
    parts = split(student, edges, n, int(rng.integers(2**31)))
    found = torch.cat([numbers(parts[name], n) for name in ("train", "val", "test")])
    require(len(torch.unique(found)) == len(found), "an edge is in two parts")
    assert_matches(found.sort().values, every)


@pytest.mark.item("split")
@pytest.mark.hint("int(0.05 E') edges in val, int(0.10 E') in test, as many negatives as those.")
def test_sizes_of_the_parts(student, reference, messy_edges, rng):
    """The parts have the asked sizes, by default 85, 5 and 10 percent."""
    n = 70
    edges = messy_edges(rng, n, 250)
    count = len(reference.layers.undirected(edges))
    for options in ({}, {"val": 0.1, "test": 0.3}):
        val, test = options.get("val", 0.05), options.get("test", 0.10)
        wanted = {"val": int(val * count), "test": int(test * count)}
        parts = split(student, edges, n, int(rng.integers(2**31)), **options)
        for name, size in wanted.items():
            for part in (name, f"{name}_neg"):
                require(len(parts[part]) == size, f"{part}: {len(parts[part])} pairs, not {size}")
        require(len(parts["train"]) == count - sum(wanted.values()), "train: a wrong size")


@pytest.mark.item("split", weight=2)
@pytest.mark.hint("Compare with ALL edges, train too, in both directions; draw again what is one.")
@pytest.mark.parametrize("matched", [False, True], ids=["even", "matched"])
def test_negatives_are_no_edges(student, reference, rng, matched):
    """No negative is an edge, joins a node to itself or stands twice, in a crowded graph."""
    n = 16
    for _ in range(6):
        pairs = torch.combinations(torch.arange(n))
        pairs = pairs[torch.tensor(rng.permutation(len(pairs))[:72])]  # of 120
        edges = torch.where(torch.tensor(rng.random((72, 1)) < 0.5), pairs, pairs.flip(1))
        every = numbers(reference.layers.undirected(edges), n)
        seed = int(rng.integers(2**31))
        parts = split(student, edges, n, seed, val=0.1, test=0.3, matched=matched)
        negatives = torch.cat([numbers(parts[name], n) for name in ("val_neg", "test_neg")])
        require(len(negatives) == 28, f"{len(negatives)} negatives, expected 28")
        require(not bool(torch.isin(negatives, every).any()), "a negative is an edge")
        require(len(torch.unique(negatives)) == len(negatives), "a negative stands twice")


@pytest.mark.item("split")
@pytest.mark.hint("Shuffle the edges, and do not sort negatives before you cut them to length.")
def test_parts_are_drawn_at_random(student, rng):
    """Held-out edges and negatives come from everywhere in the graph."""
    n = 400
    u = torch.arange(n - 1)
    edges = torch.stack([u, u + 1], dim=1)
    places = {name: [] for name in ("val", "test", "val_neg", "test_neg")}
    for _ in range(40):
        parts = split(student, edges, n, int(rng.integers(2**31)))
        for name, found in places.items():
            found.append(parts[name].double().mean(dim=1))
    for name, found in places.items():
        middle = float(torch.cat(found).mean()) / n
        # 760 pairs or more: the mean of evenly drawn places has an sd of 0.0105 or less.
        require(abs(middle - 0.5) < 0.075, f"{name}: its nodes lie around {middle:.2f} n")


@pytest.mark.item("split", weight=0.5)
@pytest.mark.depends("test_every_edge_is_in_one_part")
@pytest.mark.hint("Pass the generator on to every call that draws.")
def test_the_generator_decides_the_split(student, messy_edges, rng):
    """Equal generators give equal splits, other generators others."""
    edges = messy_edges(rng, 60, 300)
    one, same, other = (split(student, edges, 60, seed) for seed in (4, 4, 5))
    for name in PARTS:
        require(torch.equal(one[name], same[name]), f"{name}: one generator gave two splits")
        require(not torch.equal(one[name], other[name]), f"{name}: two generators gave one split")


@pytest.mark.item("split")
@pytest.mark.depends("test_negatives_are_no_edges")
@pytest.mark.hint("Draw both ends of a negative from the list of all ends of edges.")
def test_matched_negatives_cannot_be_told_by_degree(student, reference, rng):
    """The product of degrees tells edges from even negatives, but not from matched ones."""
    n = 300
    edges = tangled(rng, n, 1200)
    degree = torch.bincount(reference.layers.undirected(edges).flatten(), minlength=n).double()
    found = {}
    for matched in (False, True):
        parts = split(student, edges, n, 7, val=0.1, test=0.3, matched=matched)
        pairs = torch.cat([parts["test"], parts["test_neg"]])
        labels = torch.cat([torch.ones(len(parts["test"])), torch.zeros(len(parts["test_neg"]))])
        score = degree[pairs[:, 0]] * degree[pairs[:, 1]]
        found[matched] = reference.layers.auc(score, labels)
    # Over 200 graphs the reference's lie in 0.79..0.87 and 0.47..0.64.
    require(found[False] > 0.72, f"even negatives: AUC of degrees {found[False]:.2f}")
    require(found[True] < 0.72, f"matched negatives: AUC of degrees {found[True]:.2f}")


# ------------------------------------------------------------------------------ scores


def pairwise_auc(scores, labels):
    """Compare every positive with every negative."""
    above = scores[labels == 1][:, None] - scores[labels == 0][None]
    return float(np.mean((above > 0) + 0.5 * (above == 0)))


def stepwise_ap(scores, labels):
    """Go through the different scores from the largest on."""
    area, before = 0.0, 0.0
    for threshold in sorted(set(scores.tolist()), reverse=True):
        chosen = labels[scores >= threshold]
        recall = chosen.sum() / labels.sum()
        area += (recall - before) * chosen.mean()
        before = recall
    return float(area)


METRICS = {"auc": pairwise_auc, "average_precision": stepwise_ap}


def ask(student, name, scores, labels):
    """Call one of the two metrics on arrays."""
    function = getattr(student.layers, name)
    return as_number(function(torch.tensor(scores), torch.tensor(labels)))


@pytest.mark.item("metrics")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Equal scores: half a win for AUC; one common step of recall for AP.")
def test_metrics_by_hand(student):
    """Four scores, two of them equal."""
    scores = np.array([0.9, 0.4, 0.4, 0.1])
    for labels, area, precision in (((1, 1, 0, 0), 0.875, 5 / 6), ((0, 1, 0, 1), 0.125, 5 / 12)):
        assert_matches(ask(student, "auc", scores, np.array(labels)), area)
        assert_matches(ask(student, "average_precision", scores, np.array(labels)), precision)


@pytest.mark.item("metrics", weight=2)
@pytest.mark.hint("Equal scores: half a win in AUC, one common step in average precision.")
@pytest.mark.parametrize("name", list(METRICS))
def test_metric(student, rng, name):
    """Random scores, with and without ties, in random order."""
    for levels in (2, 5, 2**20):
        labels = rng.permutation(np.arange(60) % 3 == 0).astype(np.int64)
        # Many levels are multiples of 2^-20: what ties in float32 ties in float64.
        scores = rng.integers(0, levels, 60) / levels + (0.2 if levels < 10 else 0.25) * labels
        scores = np.round(scores, 1) if levels < 10 else scores
        found = ask(student, name, scores, labels)
        assert_matches(found, METRICS[name](scores, labels), rtol=1e-6)


@pytest.mark.item("metrics")
@pytest.mark.hint("Where scores are equal, the order of the list must not decide.")
@pytest.mark.parametrize("name", list(METRICS))
def test_the_order_of_the_list_does_not_matter(student, rng, name):
    """Constant scores are worth as much as chance, whichever labels come first."""
    for labels in (np.arange(40) < 10, np.arange(40) >= 30):
        found = ask(student, name, np.full(40, 0.3), labels.astype(np.int64))
        assert_matches(found, 0.5 if name == "auc" else 0.25)


@pytest.mark.item("metrics")
@pytest.mark.hint("Only the order of scores counts: no threshold at 0.5, no sigmoid.")
@pytest.mark.parametrize("name", list(METRICS))
def test_only_the_order_of_scores_counts(student, rng, name):
    """Any increasing function of the scores gives the same value; perfect scores give 1."""
    labels = (rng.random(80) < 0.3).astype(np.int64)
    labels[:2] = (0, 1)
    scores = rng.normal(0, 1, 80) + labels
    plain = ask(student, name, scores, labels)
    assert_matches(plain, METRICS[name](scores, labels), rtol=1e-6)
    assert_matches(ask(student, name, np.exp(scores), labels), plain, rtol=1e-6)
    assert_matches(ask(student, name, labels - 40.0, labels), 1.0)


@pytest.mark.item("metrics", weight=0.5)
@pytest.mark.depends("test_metric")
@pytest.mark.hint("Raise ValueError where the value is not defined: 0 / 0 is not 0.")
def test_one_class_is_refused(student):
    """AUC needs both classes, average precision a positive: else ValueError."""
    scores = np.array([0.1, 0.2, 0.3])
    for labels in (np.zeros(3, np.int64), np.ones(3, np.int64)):
        with expect_raises(ValueError):
            ask(student, "auc", scores, labels)
    with expect_raises(ValueError):
        ask(student, "average_precision", scores, np.zeros(3, np.int64))
