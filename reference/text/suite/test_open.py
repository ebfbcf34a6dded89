"""The open part: the best classifier from 50 labels a class and texts without labels."""

import pytest
import torch

from grader.suite import as_object

LABELS, UNLABELLED, TESTED = 50, 400, 1000


@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("Return a FineTuned of all layers in evaluation mode; seed torch first.")
def test_the_open_classifier_is_one_function(
    student, reference, drawn_topics, twin, require_twin, rng
):
    """Equal seeds give equal networks, and what they compute is what their parameters say."""
    few, ids, mask = drawn_topics(
        rng, 6, classes=3, width=32, layers=2, length=12, more=20, tested=10
    )
    seed, found = int(rng.integers(2**31)), []
    for _ in range(2):
        with student.budget(cpu_seconds=60):
            module = as_object(student.model.best(few.pretrained, *few.shown, seed, ids, mask))
        encoder = reference.model.Encoder.load(few.pretrained)
        ours = twin(module, reference.model.FineTuned(encoder, few.classes))
        require_twin(module, ours, few.ids, few.mask, few.classes)
        found.append(torch.cat([p.detach().flatten() for p in ours.parameters()]))
    far = float((found[0] - found[1]).abs().max())
    if far > 1e-4:
        pytest.fail(f"one seed gave two networks, {far:.2g} apart")


@pytest.mark.item("best", weight=6)
@pytest.mark.depends(
    "test_the_open_classifier_is_one_function", "test_few.py::test_drawn_texts_are_learnt"
)
@pytest.mark.limits(cpu_seconds=70)
@pytest.mark.hint("What do texts without labels tell? How long do you train, and at which rate?")
def test_open_classifier(student, hidden_form, tuned, accuracy, variant, rng, bar):
    """Accuracy on a hidden form of the term's texts, with 50 labels a class."""
    few, ids, mask = hidden_form(variant["first"], rng, LABELS, more=UNLABELLED, tested=TESTED)
    seed = int(rng.integers(2**31))
    ours = tuned(student, few, seed, student.model.best, ids, mask)
    bar("open-best", accuracy(ours, few.test_ids, few.test_mask, few.test_y))
