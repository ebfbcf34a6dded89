"""One cell of the study: what it measures, and that it learns from nothing that it measures.

The graphs are drawn for this submission. Seeds are, too, from the small numbers that people take:
nothing tells a run_cell that it is not asked for a cell of its table.
"""

import numpy as np
import pytest
import torch

from grader.suite import expect_raises, require

TASKS = ("node", "link")
SEEDS = 10  # seeds of cells are drawn below it
# The reference's cells differ by nothing from our own measurement of the same training. Who draws
# something more in run_cell trains another network: two differ by an sd of 0.023 for nodes, and
# for links, of which the split is another too, by 0.045 or by 0.026 in a mean of three.
SAME = 0.12


def seeds(rng, count):
    """Draw different seeds of cells."""
    return [int(seed) for seed in rng.permutation(max(SEEDS, 2 * count))[:count]]


def require_same(what, claimed, measured):
    """Fail unless run_cell's number is that of the network that the student's training makes."""
    require(
        abs(measured - claimed) <= SAME,
        f"{what}: run_cell gives {claimed:.3f}, the network that your training makes with these "
        f"settings scores {measured:.3f}",
    )


# ------------------------------------------------------------------------------ what it measures


@pytest.mark.item("reproducible")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint(
    "Rows of x sum to 1, EPOCHS epochs, only the labels of train; the accuracy is that on test."
)
def test_a_node_cell_measures_what_train_node_learns(
    student, run_cell, measure_cell, planted, as_data, rng
):
    """The base cell's number is the test score of a network that train_node makes."""
    (seed,) = seeds(rng, 1)
    cell = ("node", "layers", 2, seed, as_data(planted(rng, n=400)))
    require_same("node, base", run_cell(student, *cell), measure_cell(student, *cell))


@pytest.mark.item("reproducible")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint(
    "Split all edges with a generator of the seed; train on those of train and measure with them "
    "in A; the AUC is that of test and test_neg."
)
def test_a_link_cell_measures_what_train_link_learns(
    student, run_cell, measure_cell, planted, as_data, rng
):
    """The base cell's number is the AUC of an encoder that train_link makes, on such splits."""
    found = []
    for seed in seeds(rng, 3):
        data = as_data(planted(rng, n=800, classes=8, within=0.6, across=0.01))
        cell = ("link", "layers", 2, seed, data)
        found.append((run_cell(student, *cell), measure_cell(student, *cell)))
    require_same("link, base, mean of three", *np.mean(found, axis=0))


@pytest.mark.item("reproducible")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint("Where y has a column a label, the metric is micro_f1 of the test nodes.")
def test_a_cell_of_several_labels_is_a_micro_f1(
    student, run_cell, measure_cell, planted, as_data, rng
):
    """With several labels a node the base cell's number is the micro-F1 of train_node's network."""
    (seed,) = seeds(rng, 1)
    cell = ("node", "layers", 2, seed, as_data(planted(rng, several=True)))
    require_same("several labels", run_cell(student, *cell), measure_cell(student, *cell))


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_node_cell_measures_what_train_node_learns")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint("Weights, the split of edges and negatives all come from the seed of the cell.")
@pytest.mark.parametrize("kind", TASKS)
def test_the_seed_of_a_cell_decides_it(student, run_cell, planted, as_data, rng, kind):
    """Equal seeds give equal numbers, other seeds others."""
    data = as_data(planted(rng, n=400))
    first, *others = seeds(rng, 5)
    found = [run_cell(student, kind, "drop_edge", 0.3, s, data) for s in (first, first, *others)]
    require(abs(found[0] - found[1]) < 1e-3, f"one seed gave {found[0]} and {found[1]}")
    if len(set(found[1:])) == 1:  # a count of 170 nodes: once in 1,000 graphs by chance
        another = as_data(planted(rng, n=400))
        more = [run_cell(student, kind, "drop_edge", 0.3, s, another) for s in seeds(rng, 12)]
        require(len(set(more)) > 1, "twelve seeds gave one number to the last digit")


def unusual(rng):
    """Draw a value of every factor that is in nobody's sweep."""
    return {
        "self_loops": float(rng.uniform(20, 60)),
        "layers": 3,
        "drop_edge": float(rng.uniform(0.55, 0.65)),
        "pair_norm": "PN-SI",
        "activation": "elu",
    }


@pytest.mark.item("reproducible")
@pytest.mark.depends(
    "test_a_node_cell_measures_what_train_node_learns",
    "test_a_link_cell_measures_what_train_link_learns",
)
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            "node",
            marks=pytest.mark.hint(
                "{**BASE, factor: value} goes to train_node, whatever the value; no table inside."
            ),
        ),
        pytest.param(
            "link",
            marks=pytest.mark.hint(
                "{**BASE, factor: value} goes to train_link, whatever the value; no table inside."
            ),
        ),
    ],
)
def test_cells_outside_the_sweep_are_trained(
    student, run_cell, measure_cell, planted, as_data, rng, kind
):
    """Unusual values of all factors: each changes the base's number, to what training gives."""
    (seed,) = seeds(rng, 1)
    data, found = as_data(planted(rng, n=400)), []
    base = run_cell(student, kind, "layers", 2, seed, data)
    for factor, value in unusual(rng).items():
        cell = (kind, factor, value, seed, data)
        found.append((run_cell(student, *cell), measure_cell(student, *cell)))
        if abs(found[-1][0] - base) > 1e-9:
            continue
        # Two networks may well agree on 170 nodes, ELU and ReLU in two graphs of five.
        for other in seeds(rng, 16):
            graph = as_data(planted(rng, n=400))
            one = run_cell(student, kind, "layers", 2, other, graph)
            if abs(run_cell(student, kind, factor, value, other, graph) - one) > 1e-9:
                break
        else:
            pytest.fail(f"{factor} = {value} changes nothing: is it passed on?")
    require_same(f"{kind}, mean of five unusual cells", *np.mean(found, axis=0))


@pytest.mark.item("reproducible", weight=0.5)
@pytest.mark.depends("test_the_seed_of_a_cell_decides_it")
@pytest.mark.hint("Raise ValueError for a task or factor that does not exist.")
def test_unknown_cells_are_refused(student, planted, as_data, rng):
    """An unknown task raises ValueError, an unknown factor too."""
    data = as_data(planted(rng, n=60))
    for task, factor in (("no such task", "layers"), ("node", "no such factor")):
        with expect_raises(ValueError):
            student.study.run_cell(task, factor, 1, 0, data)


# ------------------------------------------------------------------------------ that it is honest

CLASSES, TRAINED, TWINS, WORDS = 4, 80, 150, 400
# Classes by lot are guessed with probability 1/4, whatever is predicted: the share of 300 right
# guesses has an sd of 0.025. Whoever trains on them or on those of their twins reaches 0.5 to 0.7.
GUESSED = 0.375
# Held-out edges and negatives of a graph of chance are told apart by nothing that A and the loss
# may see: the AUC of three cells has a mean of 0.5 and an sd of 0.026 (0.52 and 0.02 by matched
# negatives, which favour nodes of many edges). With one leak of any kind it is 0.8 or more.
FORETOLD = 0.7
# As above with six edges held out, in 24 cells: sd 0.035. The best of 100 epochs has 0.7.
HAND_PICKED = {"even": 0.63, "matched": 0.66}


def by_lot(rng, labelled):
    """Return a graph whose test nodes have classes by lot, and a twin each, to validate.

    A twin has the words and the neighbours of its test node; with `labelled` it has its class
    too, so that whoever learns the one label knows the other.
    """
    n = TRAINED + 2 * TWINS
    train, test, twin = np.split(rng.permutation(n), [TRAINED, TRAINED + TWINS])
    x = (rng.random((n, WORDS)) < 3 / WORDS).astype(np.float32)
    x[twin] = x[test]
    y = rng.integers(0, CLASSES, n)
    y[train] = np.arange(TRAINED) % CLASSES
    if labelled:
        y[twin] = y[test]
    hosts = train[rng.integers(0, TRAINED, TWINS)]
    among = train[rng.integers(0, TRAINED, (12 * TRAINED, 2))]
    among = among[y[among[:, 0]] == y[among[:, 1]]]
    edges = np.concatenate([among, *(np.stack([part, hosts], axis=1) for part in (test, twin))])
    parts = {"x": x, "y": y, "edges": edges, "train": train, "val": twin, "test": test}
    return {name: torch.tensor(part) for name, part in parts.items()}


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_node_cell_measures_what_train_node_learns")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.parametrize(
    "labelled",
    [
        pytest.param(
            False, id="test", marks=pytest.mark.hint("Train on the labels of train, not of test.")
        ),
        pytest.param(
            True,
            id="val",
            marks=pytest.mark.hint("Train on the labels of train alone: neither test nor val."),
        ),
    ],
)
def test_labels_of_other_nodes_are_not_trained_on(student, run_cell, rng, labelled):
    """Test nodes whose classes are drawn by lot are guessed no better than by chance."""
    found = [
        run_cell(student, "node", "layers", 2, seed, by_lot(rng, labelled))
        for seed in seeds(rng, 2)
    ]
    mean = float(np.mean(found))
    require(mean < GUESSED, f"{mean:.2f} of the classes drawn by lot are right, by chance 0.25")


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_node_cell_measures_what_train_node_learns")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint(
    "Nothing may be chosen by the test score: no best epoch, no early stopping by it."
)
@pytest.mark.parametrize("across", [0.1, 0.006], ids=["no-communities", "communities"])
def test_no_epoch_is_chosen_by_the_labels_of_test(student, run_cell, planted, as_data, rng, across):
    """If all test nodes are called class 0, then class 1, the two accuracies sum to 1."""
    # Of fixed predictions the shares of the classes add up to 1, whatever they are. Who keeps the
    # epoch that did best on test gets the largest share of class 0 and that of class 1. Where
    # edges tell nothing predictions wander as long as training goes on, so that the best epoch
    # for the one class is hardly ever as good as the last, and never for both in two graphs.
    for seed in seeds(rng, 2):
        task, shares = planted(rng, n=200, classes=2, across=across), []
        for label in (0, 1):
            data = as_data(task, task.y.clone())
            data["y"][data["test"]] = label
            shares.append(run_cell(student, "node", "layers", 2, seed, data))
        require(0.02 < shares[0] < 0.98, f"nearly all nodes get class {int(shares[0] < 0.5)}")
        require(abs(sum(shares) - 1) < 1e-3, f"the shares of the two classes are {shares}")


def chance(rng, n):
    """Return a graph of n edges by lot between n nodes, of which each has a word of its own."""
    nodes = torch.tensor(rng.permutation(n))
    data = {"x": torch.eye(n), "y": torch.arange(n) % 2}
    data["edges"] = torch.tensor(rng.integers(0, n, (n, 2)))
    return data | {"train": nodes[: n // 4], "val": nodes[n // 4 : n // 2], "test": nodes[n // 2 :]}


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_link_cell_measures_what_train_link_learns")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint(
    "Only the edges of train may stand in A, in training and when you measure, and in the loss; "
    "no pair of test_neg is a negative of the loss because it is one."
)
def test_held_out_edges_stay_out(student, run_cell, rng):
    """On a graph of pure chance no held-out link can be foretold, unless it was let in."""
    found = [run_cell(student, "link", "layers", 2, s, chance(rng, 800)) for s in seeds(rng, 3)]
    mean = float(np.mean(found))
    require(mean < FORETOLD, f"AUC {mean:.2f} on graphs of pure chance: held-out edges are known")


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_held_out_edges_stay_out")
@pytest.mark.limits(cpu_seconds=60)
@pytest.mark.hint("EPOCHS epochs, then measure once: no best epoch by the AUC of test.")
def test_no_epoch_is_chosen_by_held_out_edges(student, run_cell, variant, rng):
    """On graphs of pure chance the last epoch is worth no more than any other."""
    found = [run_cell(student, "link", "layers", 2, s, chance(rng, 60)) for s in seeds(rng, 24)]
    mean = float(np.mean(found))
    bound = HAND_PICKED["matched" if variant["first"] == "ppi-node2vec" else "even"]
    require(mean < bound, f"AUC {mean:.2f} in the mean of 24 graphs of pure chance")


# The reference's means of two cells: 0.80 with sd 0.02 by even, 0.47 with sd 0.02 by matched ones.
TOLD = 0.63


@pytest.mark.item("reproducible")
@pytest.mark.depends("test_a_link_cell_measures_what_train_link_learns")
@pytest.mark.limits(cpu_seconds=40)
@pytest.mark.hint("Set GRAPH to the term's graph: negatives are matched for ppi-node2vec alone.")
def test_negatives_of_a_cell_are_those_of_the_term(student, run_cell, variant, rng):
    """Where degrees alone make edges, even negatives are told from them and matched ones not."""
    n = 300
    weight = 1 / (1 + rng.permutation(n)) ** 1.0
    edges = torch.tensor(rng.choice(n, (3000, 2), p=weight / weight.sum()))
    data = {**chance(rng, n), "edges": edges}
    found = [run_cell(student, "link", "layers", 2, seed, data) for seed in seeds(rng, 2)]
    mean, matched = float(np.mean(found)), variant["first"] == "ppi-node2vec"
    require(
        (mean < TOLD) == matched,
        f"AUC {mean:.2f}: negatives that are {'even' if matched else 'matched'}",
    )
