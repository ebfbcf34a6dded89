"""The open part: the best network that the student can train within the budget."""

import itertools

import pytest
import torch

from grader.suite import as_object, as_tensor, parameters, require

SIZE = 20  # pixels a side
BEST_CPU_SECONDS = 120
PROBES = 16


def candidates(student, module, classes):
    """Yield the options of `build` that a module's parameters and buffers allow."""
    shapes = [tuple(as_tensor(p).shape) for p in parameters(module).values()]
    convolutions = [shape for shape in shapes if len(shape) == 4]
    depth = len(convolutions) + 1
    require(depth >= 8 and depth % 6 == 2, f"{depth - 1} convolutions make no network of build")
    width = convolutions[0][0]
    buffers = student.model.buffers(module)
    require(type(buffers) is dict, "buffers(model) must give a dict: leave it as it was given")
    if len(buffers) > 2:
        norms = ["batch"]
    else:
        norms = ["none"] if len(shapes) == 2 * (len(convolutions) + 1) else ["layer", "group"]
    for norm, residual in itertools.product(norms, (True, False)):
        if norm != "group" or width % 4 == 0:
            yield {
                "depth": depth,
                "norm": norm,
                "residual": residual,
                "classes": classes,
                "width": width,
            }


@pytest.mark.item("best")
@pytest.mark.limits(cpu_seconds=20)
@pytest.mark.hint("Mirror images, shift them, let the rate rise and fall, train on: what helps?")
def test_the_best_network(student, twin, split, variant, rng, bar, require_same):
    """The network that `best` trains, on images held back."""
    data = split(int(rng.integers(2**31)), variant["train"], variant["test"], SIZE)
    classes = len(data.names)
    with student.budget(cpu_seconds=BEST_CPU_SECONDS):
        module = as_object(
            student.model.best(data.train_x, data.train_y, classes, int(rng.integers(2**31)))
        )
    for options in candidates(student, module, classes):
        ours = twin(student, module, **options).eval()
        try:
            require_same(module, ours, data.train_x[:PROBES])
        except AssertionError:
            continue
        with torch.no_grad():
            found = torch.cat([ours(part).argmax(dim=1) for part in data.test_x.split(250)])
        bar("best", float((found == data.test_y).double().mean()))
        return
    require(False, "what best returned computes something else than a network of build")
