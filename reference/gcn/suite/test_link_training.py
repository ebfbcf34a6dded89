"""The training on links, step by step, on a graph where no draw of negatives matters."""

import pytest
import torch

from grader.suite import as_object, as_tensor, assert_matches, require

HIDDEN, DIM = 12, 6
STEPS, RATE = 10, 0.02
NODES = 24


@pytest.mark.item("link")
@pytest.mark.hint("Mean over edges and negatives of the loss with logits; gradients set to zero.")
def test_ten_steps_of_link_training(student, twin, rng):
    """On a ring of equal nodes ten steps are ten steps of Adam, whichever pairs are drawn."""
    nodes = torch.arange(NODES)
    edges = torch.stack([nodes, (nodes + 1) % NODES], dim=1)
    options = {"hidden": HIDDEN, "dim": DIM, "dropout": 0.0, "learning_rate": RATE}
    # Words for which all units are at 0, or so few are not that Adam oversteps, tell nothing: they
    # are drawn anew, which happens once in 10,000 draws.
    for _ in range(20):
        x = torch.tensor(rng.normal(0, 6, 8), dtype=torch.float32).repeat(NODES, 1)
        start = as_object(student.model.train_link(x, edges, 11, epochs=0, **options))
        ours = twin(start, (8, HIDDEN, DIM))
        before = score(ours(x, edges)).detach()
        train_by_hand(ours, x, edges)
        wanted = float((score(ours(x, edges)) / before).detach())
        if wanted < 0.9:  # false for NaN, too
            break
    after = as_object(student.model.train_link(x, edges, 11, epochs=STEPS, **options))
    found = as_tensor(after(x, edges), (NODES, DIM), torch.float32).detach()
    share = float(score(found) / before)
    require(
        abs(share - wanted) < 0.01 * abs(1 - wanted),
        f"ten steps leave {share:.4f} of a pair's score; Adam's leave {wanted:.4f}",
    )


@pytest.mark.item("link", weight=0.5)
@pytest.mark.hint("Return model.eval().")
def test_the_encoder_comes_back_in_evaluation_mode(student, twin, planted, rng):
    """Trained with dropout and DropEdge, the encoder drops nothing when it is used."""
    task = planted(rng, n=60)
    options = {"hidden": HIDDEN, "dim": DIM, "dropout": 0.5, "drop_edge": 0.5, "epochs": 2}
    module = as_object(student.model.train_link(task.x, task.edges, 3, **options))
    with torch.no_grad():
        wanted = twin(module, (task.x.shape[1], HIDDEN, DIM))(task.x, task.edges)
    answer = module(task.x, task.edges)
    found = as_tensor(answer, (len(task.x), DIM), torch.float32).detach()
    assert_matches(found, wanted, rtol=1e-4)


def train_by_hand(ours, x, edges):
    """Take ten steps of Adam on our own copy of the network."""
    optimiser = torch.optim.Adam(ours.parameters(), lr=RATE)
    for _ in range(STEPS):
        optimiser.zero_grad()
        # Every pair scores the same, so half of the loss is for edges, half for any negatives.
        both = score(ours(x, edges)) * torch.tensor([-1.0, 1.0])
        torch.nn.functional.softplus(both).mean().backward()
        optimiser.step()


def score(z):
    """Return the score of a pair of neighbours."""
    return (z[0] * z[1]).sum()
