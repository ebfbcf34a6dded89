"""Public tests."""

import numpy as np
from tiny import maths


def test_double():
    """double doubles."""
    assert maths.double(np.array([1.0])).tolist() == [2.0], "double(1) should be 2"
