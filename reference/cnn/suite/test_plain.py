"""What 20 plain layers without normalisation learn, run now: nothing, where residual ones do.

It is the one ordering of the study that no file of results need be believed for.
"""

import pytest
import torch

from grader.suite import require

TRAIN_CPU_SECONDS = 60  # the reference takes 1


@pytest.mark.item("orderings")
@pytest.mark.depends("test_model.py::test_parameters_of_the_network")
@pytest.mark.limits(cpu_seconds=30)
@pytest.mark.hint("Without normalisation and shortcuts the signal dies over 20 layers.")
def test_a_plain_deep_network_without_norm_stays_at_chance(student, twin, colours, rng, bar):
    """Run now, 20 plain layers without normalisation learn nothing; with both they learn."""
    images, labels = colours(rng, 300)
    test_images, test_labels = colours(rng, 2000)

    def reached(norm, residual):
        options = {"norm": norm, "residual": residual, "classes": 3}
        module = student.model.build(20, **options)
        with student.budget(cpu_seconds=TRAIN_CPU_SECONDS):
            student.model.train(module, images, labels, 0, epochs=8)
        ours = twin(student, module, 20, **options).eval()
        with torch.no_grad():
            found = ours(test_images).argmax(dim=1)
        return float((found == test_labels).double().mean())

    bar("plain-without-norm", reached("none", False))
    with_both = reached("batch", True)  # 1 in every run of the reference, where guessing has 0.33
    require(with_both > 0.8, f"with shortcuts and normalisation only {with_both:.0%} are right")
