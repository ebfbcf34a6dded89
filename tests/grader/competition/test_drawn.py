"""A drawn set comes back from its files as it was; students' half and staff's are apart."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_competition import put

from grader.competition import Labels, read_predictions
from grader.competition.drawn import DrawnSet, files_of, read_drawn, row_names
from grader.errors import ProctorError
from grader.lab.competition import CompetitionRules

RULES = CompetitionRules(
    file="p.csv", predicted=("a", "b"), metric="all_right", classes=("x", "y", "z"), train=4,
    test=3, public=1, baseline=0.1, most=25, least=15, below_baseline=12,
)  # fmt: skip
NUMBERS = CompetitionRules.model_validate(
    RULES.model_dump() | {"metric": "rmse", "classes": (), "predicted": ("a",)}
)


def a_set(values, train=True):
    test = {"pixels": np.arange(6, dtype=np.uint8).reshape(3, 2)}
    ours = {"pixels": np.ones((4, 2), np.uint8), "labels": np.zeros(4, np.int64)}
    return DrawnSet(test, Labels(row_names(3), np.array(values, float)), ours if train else None)


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite.map(lambda one: [one]), min_size=3, max_size=3))
def test_numbers_come_back_to_their_last_digit(tmp_path_factory, values):
    folder = put(tmp_path_factory.mktemp("set"), files_of(a_set(values), NUMBERS))
    assert read_drawn(folder, NUMBERS).labels.values.tolist() == values


@given(st.lists(st.lists(st.integers(0, 2), min_size=2, max_size=2), min_size=3, max_size=3))
def test_classes_and_arrays_come_back(tmp_path_factory, values):
    drawn = a_set(values)
    found = read_drawn(put(tmp_path_factory.mktemp("set"), files_of(drawn, RULES)), RULES)
    assert found.labels.values.tolist() == values and found.labels.ids == drawn.labels.ids
    for before, after in ((drawn.train, found.train), (drawn.test, found.test)):
        assert set(before) == set(after)
        assert all(np.array_equal(before[name], after[name]) for name in before)


def test_equal_sets_are_equal_bytes():
    assert files_of(a_set([[0, 1]] * 3), RULES) == files_of(a_set([[0, 1]] * 3), RULES)


def test_students_get_the_test_without_labels_and_a_sample_that_is_taken():
    files = files_of(a_set([[2, 2], [1, 0], [0, 2]]), RULES)
    students = {path for path in files if path.startswith("students/")}
    assert {path.partition("/")[2] for path in students} == {
        "train.npz", "test.npz", "sample_submission.csv",
    }  # fmt: skip
    with np.load(io.BytesIO(files["students/test.npz"])) as arrays:
        assert set(arrays) == {"pixels"}
    sample = files["students/sample_submission.csv"]
    assert read_predictions(sample, RULES, row_names(3)).tolist() == [[0, 1]] * 3
    assert read_predictions(files["staff/labels.csv"], RULES, row_names(3)).tolist() == [
        [2, 2], [1, 0], [0, 2],
    ]  # fmt: skip


def test_a_further_set_has_nothing_for_students():
    files = files_of(a_set([[0, 0]] * 3, train=False), RULES)
    assert set(files) == {"staff/test.npz", "staff/labels.csv"}


@pytest.mark.parametrize("rows", [2, 10, 11, 10_000])
def test_names_of_rows_are_apart_of_one_length_and_no_numbers(rows):
    names = row_names(rows)
    assert len(set(names)) == rows and len({len(name) for name in names}) == 1
    assert list(names) == sorted(names) and not any(name.isdigit() for name in names)


def damage_missing(folder):
    (folder / "students" / "test.npz").unlink()


def damage_bytes(folder):
    (folder / "students" / "test.npz").write_bytes(b"no arrays")


def damage_pickle(folder):
    np.savez(folder / "students" / "test.npz", pixels=np.array([{}] * 3, dtype=object))


def damage_other(folder):
    np.savez(folder / "students" / "test.npz", pixels=np.ones((5, 2)))


@pytest.mark.parametrize("damage", [damage_missing, damage_bytes, damage_pickle, damage_other])
def test_a_damaged_set_is_refused_with_its_file(tmp_path, damage):
    put(tmp_path, files_of(a_set([[0, 1], [1, 2], [0, 2]]), RULES))
    damage(tmp_path)
    with pytest.raises(ProctorError, match=r"test\.npz .*draw"):
        read_drawn(tmp_path, RULES)
