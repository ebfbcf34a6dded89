"""The open part's encoder, whatever it is: its seed and its mode."""

import pytest
import torch

from grader.suite import as_object, as_tensor, assert_matches

CPU_SECONDS = 60  # students are told 20: a slow machine must decide nothing


@pytest.mark.item("links")
@pytest.mark.limits(cpu_seconds=45)
@pytest.mark.hint("Seed torch first, and return the encoder in evaluation mode.")
def test_the_open_encoder_is_one_function(student, planted, rng):
    """Equal seeds give equal encoders, and an encoder gives the same embeddings every time."""
    task, seed = planted(rng, n=120), int(rng.integers(2**31))
    found = []
    for _ in range(2):
        with student.budget(cpu_seconds=CPU_SECONDS):
            module = as_object(student.model.train_open(task.x, task.edges, seed))
        for _ in range(2):
            z = as_tensor(module(task.x, task.edges), (len(task.x), None), torch.float32)
            found.append(z.detach())
    for z in found[1:]:
        assert_matches(z, found[0], rtol=1e-4, atol=1e-4)
