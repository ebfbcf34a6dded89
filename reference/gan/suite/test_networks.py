"""Generator and critic: their parameters, their outputs, their labels."""

import pytest
import torch

from grader.suite import as_object, expect_raises, require

CLOSE = 1e-4


def made(student, reference, name, sizes, options):
    """Return a student's network and ours of the same sizes."""
    theirs = as_object(getattr(student.model, name)(*sizes, **options))
    return theirs, getattr(reference.model, name)(*sizes, **options)


CASES = [
    pytest.param("Generator", (3, 9, 5), {}, id="generator"),
    pytest.param(
        "Generator",
        (3, 9, 5),
        {"classes": 4, "scale": 2.5, "bounded": True},
        id="labelled-generator",
    ),
    pytest.param("Critic", (5, 9), {}, id="critic"),
    pytest.param("Critic", (5, 9), {"classes": 4, "scale": 2.5}, id="labelled-critic"),
]


@pytest.mark.item("networks")
@pytest.mark.hint("W_1, b_1, W_2, b_2, W_3, b_3 as torch.nn.Linear has them, and no others.")
@pytest.mark.parametrize(("name", "sizes", "options"), CASES)
def test_parameters_of_a_network(student, reference, copied, name, sizes, options):
    """A network has exactly the parameters of three layers, in order; no two units start equal."""
    theirs, ours = made(student, reference, name, sizes, options)
    for weight in list(copied(theirs, ours).parameters())[0::2]:
        require(len(torch.unique(weight, dim=0)) == len(weight), "two units have equal weights")


@pytest.mark.item("networks", weight=2)
@pytest.mark.parametrize(
    ("name", "sizes", "options"),
    [
        pytest.param(
            *case.values,
            id=case.id,
            marks=pytest.mark.hint(
                "ReLU twice, tanh at the end if bounded; [z, scale * one_hot(y)] goes in."
                if case.values[0] == "Generator"
                else "Leaky ReLU of slope 0.2 twice, nothing after the last layer, output [n]."
            ),
        )
        for case in CASES
    ],
)
def test_output_of_a_network(
    student, reference, copied, normal, as_numbers, require_near, rng, name, sizes, options
):
    """The output is what the parameters describe, for every label."""
    theirs, ours = made(student, reference, name, sizes, options)
    copied(theirs, ours)
    x = 2 * normal(rng, 12, sizes[0])
    y = torch.tensor(rng.integers(0, 4, 12)) if options else None
    with torch.no_grad():
        wanted = ours(x, y)
    found = as_numbers(theirs(x, y), tuple(wanted.shape))
    require_near(found, wanted, CLOSE)


@pytest.mark.item("networks")
@pytest.mark.depends("test_output_of_a_network")
@pytest.mark.hint("Each sample is judged and made by itself: no norm over the batch.")
def test_samples_do_not_know_each_other(student, normal, as_numbers, require_near, rng):
    """A sample's output is the same in any batch and the same every time."""
    network = as_object(student.model.Critic(4, 8))
    x = normal(rng, 6, 4)
    whole = as_numbers(network(x), (6,))
    require_near(as_numbers(network(x[2:3]), (1,)), whole[2:3], CLOSE)
    require(float(whole.std()) > 1e-4, "the same number everywhere")


@pytest.mark.item("networks", weight=0.5)
@pytest.mark.depends("test_output_of_a_network")
@pytest.mark.hint("Raise ValueError in forward where classes > 0 and y is None.")
def test_labels_are_needed_where_there_are_classes(student, normal, rng):
    """A network of several classes raises ValueError without labels."""
    for network in (
        student.model.Generator(3, 8, 3, classes=2),
        student.model.Critic(3, 8, classes=2),
    ):
        with expect_raises(ValueError):
            as_object(network)(normal(rng, 4, 3))
