"""The open part: the best encoder of links that the student can think of."""

import numpy as np
import pytest
import torch

from grader.suite import as_object, as_tensor, require

CPU_SECONDS = 60  # students are told 20: a slow machine must decide nothing
WIDEST = 256  # numbers a node


def embed(student, x, edges, seed):
    """Let the student's train_open learn from the training edges; return its embeddings."""
    with student.budget(cpu_seconds=CPU_SECONDS):
        module = as_object(student.model.train_open(x, edges, seed))
        answer = module(x, edges)
    z = as_tensor(answer, (len(x), None), torch.float32).detach()
    require(z.shape[1] <= WIDEST, f"{z.shape[1]} numbers a node, at most {WIDEST} are allowed")
    return z


@pytest.mark.item("links")
@pytest.mark.limits(cpu_seconds=70)
@pytest.mark.hint("Most held-out edges that a GCN misses belong to nodes with few neighbours.")
def test_open_links(student, reference, link_task, link_scores, variant, rng, bar, measured):
    """AUC on held-out edges of the term's graph, by any encoder, as a mean over hidden splits."""
    areas, precisions = [], []
    for _ in range(variant["repeats"]):
        x, split = link_task(variant["first"], rng, variant["first"] == "ppi-node2vec")
        z = embed(student, x, split["train"], int(rng.integers(2**31)))
        scores = link_scores(z, split["test"], split["test_neg"])
        areas.append(reference.layers.auc(*scores))
        precisions.append(reference.layers.average_precision(*scores))
    measured("open-ap", float(np.mean(precisions)))
    bar("open-links", float(np.mean(areas)))
