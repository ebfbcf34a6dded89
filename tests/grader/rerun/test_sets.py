"""Sets that changed places, or do not go together, are told apart before a source is run."""

import numpy as np
import pytest
from small_competition import draw_into, rings

from grader.errors import ProctorError
from grader.rerun import read_sets


@pytest.fixture
def ground(tmp_path):
    """The rules, and both sets as they were drawn."""
    lab = rings(tmp_path)
    one, two = draw_into(lab, tmp_path / "one"), draw_into(lab, tmp_path / "two", 2)
    return lab.assignment.competition, one, two


def test_a_terms_set_and_a_fresh_one_are_read(ground):
    rules, one, two = ground
    sets = read_sets(one, two, rules)
    assert set(sets.term.train) == {"points", "labels"} and sets.fresh.train is None
    assert not np.array_equal(sets.term.test["points"], sets.fresh.test["points"])


def test_sets_in_each_others_place_are_refused(ground):
    rules, one, two = ground
    with pytest.raises(ProctorError, match="name the folder of set 1"):
        read_sets(two, one, rules)
    with pytest.raises(ProctorError, match="the same rows that teams have seen"):
        read_sets(one, one, rules)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        pytest.param({"points": np.zeros((1500, 3))}, "hold other arrays", id="wider rows"),
        pytest.param({"dots": np.zeros((1500, 2))}, "hold other arrays", id="another name"),
        pytest.param({"points": np.zeros((1500, 2), int)}, "hold other arrays", id="other numbers"),
        pytest.param(None, "the same rows that teams have seen", id="the rows of the first set"),
    ],
)
def test_rows_that_do_not_go_together_are_refused(ground, arrays, message):
    rules, one, two = ground
    if arrays is None:
        arrays = dict(np.load(one / "students" / "test.npz"))
    np.savez(two / "staff" / "test.npz", **arrays)
    with pytest.raises(ProctorError, match=message):
        read_sets(one, two, rules)
