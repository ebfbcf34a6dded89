"""How points are written on pages."""

from decimal import Decimal

import pytest

from portal.platform.formats import exact as whole
from portal.platform.formats import points


@pytest.mark.parametrize(
    ("value", "rounded", "exact"),
    [
        (None, "–", "–"),
        (0, "0", "0"),
        (10, "10", "10"),
        (0.1 + 0.2, "0.3", "0.3"),
        (Decimal("8.765"), "8.77", "8.765"),  # half up, as the course's points are
        (Decimal("8.775000"), "8.78", "8.775"),
        (Decimal("-0.001"), "0", "-0.001"),
        (Decimal("1E+2"), "100", "100"),
    ],
)
def test_points_are_short_where_they_stand_alone_and_whole_where_they_add_up(value, rounded, exact):
    assert (points(value), whole(value)) == (rounded, exact)
