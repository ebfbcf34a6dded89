"""A file of predictions is read as meant, or refused with line and mend; labels stay inside."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.competition import Labels, read_labels, read_predictions
from grader.competition.predictions import limits_for
from grader.errors import ManifestError, TableError
from grader.lab.competition import MOST_ROWS, CompetitionRules
from grader.sheet import MOST_LINES

RULES = CompetitionRules(
    file="predictions.csv", predicted=("first", "second"), metric="all_right",
    classes=("coat", "shirt"), public=1, baseline=0.1, most=25, least=15, below_baseline=12,
)  # fmt: skip
NUMBERS = CompetitionRules.model_validate(
    RULES.model_dump() | {"metric": "rmse", "classes": (), "predicted": ("y",)}
)
IDS = ("a", "b", "c")
RIGHT = "id,first,second\na,coat,shirt\nb,shirt,shirt\nc,coat,coat\n"


def test_rows_come_in_the_order_of_the_ids_whatever_their_order():
    values = read_predictions(RIGHT.encode(), RULES, ("c", "a", "b"))
    assert values.tolist() == [[0, 0], [0, 1], [1, 1]]


UNORDERED = CompetitionRules.model_validate(RULES.model_dump() | {"unordered": True})


@given(st.lists(st.tuples(st.sampled_from(RULES.classes), st.sampled_from(RULES.classes)),
                min_size=2, max_size=9))  # fmt: skip
def test_where_columns_have_no_order_equal_answers_are_equal_arrays(pairs):
    ids = [f"r{row}" for row in range(len(pairs))]
    header = "id,first,second\n"
    rows = list(zip(ids, pairs, strict=True))
    one = header + "".join(f"{name},{first},{second}\n" for name, (first, second) in rows)
    other = header + "".join(f"{name},{second},{first}\n" for name, (first, second) in rows)
    found = [read_predictions(text.encode(), UNORDERED, ids) for text in (one, other)]
    assert np.array_equal(*found)
    told = [{RULES.classes[int(place)] for place in row} for row in found[0]]
    assert told == [set(pair) for pair in pairs]
    assert np.array_equal(*[read_predictions(text.encode(), RULES, ids) for text in (one, other)]) \
        is all(first == second for first, second in pairs)  # fmt: skip


@given(st.permutations(range(12)))
def test_the_order_of_lines_is_nothing(order):
    ids = [f"row{number}" for number in range(12)]
    lines = "".join(f"row{number},{number / 4}\n" for number in order)
    values = read_predictions(f"id,y\n{lines}".encode(), NUMBERS, ids)
    assert values[:, 0].tolist() == [number / 4 for number in range(12)]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (RIGHT.replace("c,coat,coat\n", ""), 0, "1 row lack a prediction: c; add them"),
        ("id,first,second\na,coat,coat\n", 0, "2 rows lack a prediction: b, c; add them"),
        (RIGHT + "a,coat,coat\n", 5, "row a stands on line 2 too; keep one of them"),
        (RIGHT + "zz,coat,coat\n", 5, "there is no row zz to predict; leave this line out"),
        (RIGHT.replace("c,coat", "c,caot"), 4, "first: caot is no class; did you mean 'coat'?"),
        (RIGHT.replace("c,coat,coat", "c,coat,"), 4, ""),
        ("id,first\na,coat\n", 1, "second"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text, line, message):
    with pytest.raises(TableError) as told:
        read_predictions(text.encode(), RULES, IDS)
    assert any(one.line == line and message in one.mend for one in told.value.problems)


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "", "many", "1e999"])
def test_a_number_is_finite(cell):
    with pytest.raises(TableError):
        read_predictions(f"id,y\na,1\nb,{cell}\nc,2\n".encode(), NUMBERS, IDS)


def test_a_file_of_mistakes_is_told_some_of_them():
    lines = "".join(f"x{number},1\n" for number in range(500))
    with pytest.raises(TableError) as told:
        read_predictions(f"id,y\n{lines}".encode(), NUMBERS, IDS)
    assert len(told.value.problems) == 20


def table(rows, end="\n", values="coat,shirt"):
    return "".join(f"{one}{end}" for one in ["id,first,second", *(f"r{n},{values}" for n in rows)])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n", "\n\n"])
def test_a_file_may_have_as_many_rows_as_there_are_to_predict(tmp_path, end):
    rows = range(MOST_LINES + 5_000)
    file = tmp_path / "labels.csv"
    file.write_text(table(rows), newline="")
    labels = read_labels(file, RULES)
    assert len(labels.ids) == len(rows)
    values = read_predictions(table(rows, end).encode(), RULES, labels.ids)
    assert values.shape == labels.values.shape and np.array_equal(values, labels.values)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("id,first,second\n" + "," * 20_000_000, id="20 MB of commas"),
        pytest.param("id,first,second\n" + "\n" * 20_000_000, id="20 million blank lines"),
        pytest.param("id,first,second\n" + "r1,coat,coat\n" * 3_000_000, id="3 million rows"),
        pytest.param(table(range(10_000), values=f"{'x' * 190},coat"), id="classes like none"),
        pytest.param(table(range(9_999), values=f"{'c' * 190},coat"), id="a row too few"),
    ],
)
@pytest.mark.parametrize("rows", [10_000, MOST_ROWS])
def test_what_a_hostile_file_costs_is_bounded(text, rows):
    ids = [f"r{row}" for row in range(rows)]
    data = text.encode()
    begin = time.process_time()
    with pytest.raises(TableError) as told:
        read_predictions(data, RULES, ids)
    assert time.process_time() - begin < 3
    assert len(told.value.problems) <= 20


def test_limits_follow_the_rows_and_not_the_file():
    assert limits_for(RULES, 10_000).lines == 20_002
    assert limits_for(RULES, MOST_ROWS).lines == 200_002
    assert limits_for(RULES, MOST_ROWS).bytes == 7_200_000


@pytest.mark.parametrize("rows", [MOST_ROWS + 1, 3 * MOST_ROWS])
def test_labels_of_too_many_rows_are_refused_with_the_limit(tmp_path, rows):
    file = tmp_path / "labels.csv"
    file.write_text(table(range(rows)))
    with pytest.raises(ManifestError, match="a competition may have 100,000 rows to predict"):
        read_labels(file, RULES)


def test_labels_that_are_no_table_are_told_what_they_are(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(ManifestError, match="a workbook by another name"):
        read_labels(file, RULES)


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(data):
    with pytest.raises(TableError):
        read_predictions(data, RULES, IDS)


def test_labels_are_read_in_order_and_never_printed(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(RIGHT)
    labels = read_labels(file, RULES)
    assert labels.ids == IDS and labels.values.shape == (3, 2)
    assert repr(labels) == "Labels(3 rows)" and "coat" not in f"{labels}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "is missing"),
        (RIGHT + "a,coat,coat\n", "doubled or no label"),
        (RIGHT.replace("coat", "SECRET"), "doubled or no label"),
        ("id,first,second\na,coat,coat\n", "needs some of them"),
    ],
)
def test_damaged_labels_are_refused_without_naming_one(tmp_path, text, message):
    file = tmp_path / "labels.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ManifestError) as told:
        read_labels(file, RULES)
    assert message in str(told.value) and "SECRET" not in str(told.value)


def test_auc_needs_both_kinds_of_labels(tmp_path):
    rules = CompetitionRules.model_validate(NUMBERS.model_dump() | {"metric": "auc"})
    file = tmp_path / "labels.csv"
    for text in ("id,y\na,1\nb,1\n", "id,y\na,2\nb,0\n"):
        file.write_text(text)
        with pytest.raises(ManifestError, match="0 and 1"):
            read_labels(file, rules)
    file.write_text("id,y\na,1\nb,0\n")
    assert np.array_equal(read_labels(file, rules).values, [[1], [0]])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"least": 30}, "must not rise"),
        ({"below_baseline": 20}, "must not rise"),
        ({"metric": "rmse"}, "goes with no classes"),
        ({"classes": ()}, "goes with classes"),
        ({"metric": "accuracy"}, "scores one predicted column"),
        ({"id": "first"}, "is not predicted"),
        ({"step": 0}, "step"),
        ({"within": 0}, "within"),
        ({"train": 5}, "rows to train on and rows to test"),
        ({"train": 5, "test": 5, "public": 5}, "public must be below the 5 rows"),
        ({"labels": "../labels.csv"}, "labels"),
    ],
)
def test_rules_that_make_no_sense_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CompetitionRules.model_validate(RULES.model_dump() | changes)


def test_a_repr_holds_no_label():
    assert repr(Labels(("a",), np.array([[7.25]]))) == "Labels(1 rows)"
