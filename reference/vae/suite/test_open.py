"""The open part: a model of the student's own training, judged on images that stayed here."""

import pytest

BEST_CPU_SECONDS = 25  # students are told 5: a slow machine must decide nothing
SAMPLES = 20


@pytest.mark.item("best")
@pytest.mark.depends("test_model.py::test_first_steps[base]")
@pytest.mark.hint(
    "More units, more latent numbers, larger batches, a rate that falls: all it takes."
)
def test_the_best_model(student, reference, ours, pictures, rng, bar):
    """The mean importance-weighted bound of held-out images, 20 draws each."""
    data, seed = pictures(rng), int(rng.integers(10_000))
    with student.budget(cpu_seconds=BEST_CPU_SECONDS):
        model = ours(student.model.best(data.train, seed), 196)
    found = reference.model.log_evidence(model, data.held, SAMPLES, int(rng.integers(10_000)))
    bar("best-bound", float(found.mean()))
