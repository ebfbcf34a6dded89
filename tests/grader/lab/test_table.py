"""A table is read with the cells it means, or each problem names its line."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import TableError
from grader.lab.table import Column, describe_problems, read_table

COLUMNS = {
    "factor": Column.TEXT,
    "value": Column.VALUE,
    "seed": Column.WHOLE,
    "metric": Column.NUMBER,
    "cpu_s": Column.NUMBER,
}
CELLS = [
    {"factor": "depth", "value": "1", "seed": "0", "metric": "-3.4903", "cpu_s": "1.08"},
    {"factor": "rate", "value": "0.0001", "seed": "1", "metric": "-0.9", "cpu_s": "1e-05"},
    {"factor": "activation", "value": "tanh", "seed": "12", "metric": "3.0", "cpu_s": "2"},
]
HEADER = ",".join(COLUMNS)


def written(rows=CELLS, header=None, **how):
    out = io.StringIO(newline="")
    writer = csv.writer(out, **how)
    writer.writerow(header or COLUMNS)
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def with_commas(text):
    return text.replace(".", ",")


PLAIN = written()
SEMICOLONS = written(delimiter=";")


def indexed(text, name=""):
    head, *lines = text.split("\r\n")
    return "\r\n".join([f"{name},{head}", *(f"{n},{line}" for n, line in enumerate(lines) if line)])


ODD = {
    "semicolons": (SEMICOLONS, "semicolons between cells"),
    "tabs": (written(delimiter="\t"), "tabs between cells"),
    "decimal commas": (with_commas(SEMICOLONS), "decimal commas"),
    "decimal commas and tabs": (with_commas(written(delimiter="\t")), "decimal commas"),
    "sep line": ("sep=;\r\n" + SEMICOLONS, "semicolons"),
    "sep line and commas": ("sep=,\r\n" + PLAIN, None),
    "capital header": (PLAIN.replace("factor", "Factor").replace("seed", "SEED"), "its header"),
    "blanks in the header": (PLAIN.replace("cpu_s", " cpu s "), "its header"),
    "index of pandas": (indexed(PLAIN), "a column without a name"),
    "index of pandas, read back": (indexed(PLAIN, "Unnamed: 0"), "more columns (Unnamed: 0)"),
    "index with a name": (indexed(PLAIN, "index"), "more columns (index)"),
    "trailing commas": (PLAIN.replace("\r\n", ",,\r\n"), None),
    "trailing commas in the rows": (PLAIN.replace("\r\n", ",\r\n").replace(",\r", "\r", 1), None),
    "a column of notes": (PLAIN.replace("\r\n", ",note\r\n"), "more columns (note)"),
    "everything in quotes": (written(quoting=csv.QUOTE_ALL), None),
    "blanks behind commas": (PLAIN.replace(",", ", "), None),
    "unix line ends": (PLAIN.replace("\r\n", "\n"), None),
    "line ends of a Mac": (PLAIN.replace("\r\n", "\r"), None),
    "line ends doubled": (PLAIN.replace("\r\n", "\r\r\n"), None),
    "empty lines": (PLAIN.replace("\r\n", "\r\n\r\n,,,,\r\n"), None),
    "seeds as floats": (PLAIN.replace("depth,1,0,", "depth,1,0.0,"), "whole numbers"),
    "minus signs": (PLAIN.replace("-3", "\u22123"), "minus signs"),
    "quoted decimal commas": (PLAIN.replace("-3.4903", '"-3,4903"'), "decimal commas"),
}


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("name", ODD)
def test_what_programs_write_has_the_same_cells(name, codec):
    text, oddity = ODD[name]
    table = read_table(text.encode(codec), COLUMNS)
    assert [row.cells for row in table.rows] == CELLS
    if oddity:
        assert oddity in " and ".join(table.oddities)
    elif codec.startswith("utf-8"):
        assert table.oddities == ()


def test_columns_in_another_order_are_found_by_name():
    names = list(COLUMNS)[::-1]
    rows = [{name: row[name] for name in names} for row in CELLS]
    table = read_table(written(rows, names).encode(), COLUMNS)
    assert [row.cells for row in table.rows] == CELLS
    assert table.oddities == ("its columns in another order",)


def test_the_plain_form_is_read_back_as_itself():
    odd = read_table(with_commas(SEMICOLONS).encode("utf-16"), COLUMNS)
    plain = read_table(odd.to_csv(), COLUMNS)
    assert plain.rows == odd.rows
    assert plain.oddities == ()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("depth,1,0,,1", "line 2: metric is empty"),
        ("depth,1,0", "line 2: metric is empty"),
        ("depth,,0,1,1", "line 2: value is empty"),
        ("depth,1,0,nan,1", "line 2: metric is 'nan', not a number"),
        ("depth,1,0,inf,1", "line 2: metric is 'inf', not a number"),
        ("depth,1,0,1e400,1", "line 2: metric is '1e400', too large"),
        ("depth,1,0,67.1%,1", "line 2: metric is '67.1%', not a number"),
        ("depth,1,02. Jan,1,1", "line 2: seed is '02. Jan', not a number"),
        ("depth,1,0.5,1,1", "line 2: seed is '0.5', not a whole number"),
        ("depth,1,1e300,1,1", "line 2: seed is '1e300', not a whole number"),
        ('depth,1,0,"1,234",1', "line 2: metric is '1,234', not a number"),
        ("depth,1,0,1_000,1", "line 2: metric is '1_000', not a number"),
        ("depth,1,0,0x10,1", "line 2: metric is '0x10', not a number"),
        ("depth,1,0,-3,4903,1,08", "line 2: 7 cells, but the header has 5. If numbers have"),
        ("depth,1,0,-3,4903,1", "line 2: 6 cells, but the header has 5"),
        (HEADER, "line 2: seed is 'seed', not a number"),
        ("depth," + "9" * 201 + ",0,1,1", "longer than 200 characters"),
    ],
)
def test_a_wrong_row_is_named_with_its_line(row, said):
    with pytest.raises(TableError) as caught:
        read_table(f"{HEADER}\n{row}\n".encode(), COLUMNS)
    assert said in describe_problems(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it is empty. The first line must be factor,value,seed,metric,cpu_s."),
        ("\n\n,\n", "it is empty"),
        (f"{HEADER}\n", "line 1: no line stands below the header."),
        ("depth,1,0,-3.4,1\n", "line 1: The first line must be factor,value"),
        ("factor,value,seed,mse,cpu_s\na,1,1,1,1\n", "metric is missing."),
        (f"{HEADER},Seed\na,1,1,1,1,1\n", "seed stands twice."),
        ("factor value seed metric cpu_s\ndepth 1 0 1 1\n", "factor is missing, value is missing"),
        ("\n# my results\n" + PLAIN, "line 2: The first line must be"),
    ],
)
def test_a_file_without_the_header_says_which_it_must_be(text, said):
    with pytest.raises(TableError) as caught:
        read_table(text.encode(), COLUMNS)
    assert said in describe_problems(caught.value.problems)


def test_many_wrong_rows_are_told_by_the_first_and_counted():
    text = HEADER + "\n" + "depth,1,0,x,1\n" * 90
    with pytest.raises(TableError) as caught:
        read_table(text.encode(), COLUMNS)
    assert len(caught.value.problems) == 90
    said = describe_problems(caught.value.problems)
    assert "line 6" in said
    assert "line 7" not in said
    assert said.endswith("85 more lines are like that.")


def test_a_right_table_with_ten_million_empty_lines_is_refused_at_once():
    data = PLAIN.encode() + b"\n" * 10_000_000
    begin = time.process_time()
    with pytest.raises(TableError, match="10,000,004 lines"):
        read_table(data, COLUMNS)
    assert time.process_time() - begin < 1


_numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.tuples(_numbers, st.integers(0, 2**31), _numbers), min_size=1, max_size=5),
    st.sampled_from(",;\t|"),
    st.booleans(),
)
def test_numbers_keep_their_value_in_every_writing(rows, separator, with_comma):
    lines = [["factor", "value", "seed", "metric", "cpu_s"]]
    for value, seed, metric in rows:
        cells = ["x", repr(value), str(seed), repr(metric), "1"]
        comma = with_comma and separator != ","
        lines.append([cell.replace(".", ",") if comma else cell for cell in cells])
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(lines)
    table = read_table(out.getvalue().encode(), COLUMNS)
    read = [(row.cells["value"], row.cells["seed"], row.cells["metric"]) for row in table.rows]
    assert [(float(value), int(seed), float(metric)) for value, seed, metric in read] == rows


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_refused(text):
    for data in (text, f"{HEADER}\n{text}"):
        try:
            table = read_table(data.encode("utf-8", "replace"), COLUMNS)
        except TableError as error:
            assert error.problems
            continue
        assert all(set(row.cells) == set(COLUMNS) for row in table.rows)
