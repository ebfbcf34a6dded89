"""Hidden tests of the first part."""

import pytest

from grader.suite import as_number, assert_matches


@pytest.mark.item("double")
@pytest.mark.visibility("visible")
@pytest.mark.hint("Multiply by two.")
def test_double_of_a_vector(student, reference):
    """double works on a vector."""
    import numpy as np

    x = np.arange(4.0)
    assert_matches(student.maths.double(x), reference.maths.double(x))


@pytest.mark.item("double", weight=3)
@pytest.mark.hint("Keep the shape.")
def test_double_of_random_input(student, reference, rng):
    """double works on any array."""
    x = rng.standard_normal((3, 5))
    assert_matches(student.maths.double(x), reference.maths.double(x))


@pytest.mark.item("partial")
@pytest.mark.hint("Use more terms.")
def test_estimate(student, credit):
    """estimate comes near pi."""
    error = abs(as_number(student.maths.estimate(1000)) - 3.14159265)
    assert error < 0.1, "not even near"
    credit(1.0 if error < 0.01 else 0.5, f"error {error:.3f}")
