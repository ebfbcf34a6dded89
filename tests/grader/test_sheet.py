"""Rows and cells come out of a text file whatever program wrote it."""

import csv
import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.encoding import encodings_of
from grader.errors import TableError
from grader.sheet import MOST_BYTES, MOST_CELLS, MOST_LINES, SEPARATORS, SheetLimits, read_sheet

PLAIN = 'name,"a, b",c\n1,2,3\n'
CELLS = [(1, ("name", "a, b", "c")), (2, ("1", "2", "3"))]


def rows(data, **how):
    return [(row.line, row.cells) for row in read_sheet(data, **how).rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_and_line_ends_change_nothing(codec, end):
    assert rows(PLAIN.replace("\n", end).encode(codec)) == CELLS


@pytest.mark.parametrize("separator", SEPARATORS)
def test_the_first_row_tells_the_separator(separator):
    cells = [["name", "a, b; c", "c"], ["1", "2,5", "3"]]
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows(cells)
    sheet = read_sheet(out.getvalue().encode())
    assert sheet.separator == separator
    assert [list(row.cells) for row in sheet.rows] == cells


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_a_line_that_names_the_separator_is_obeyed_and_counted(first):
    assert rows(f"{first}\r\na,b;c\r\n".encode()) == [(2, ("a,b", "c"))]


def test_rows_keep_the_line_they_begin_in():
    data = b'\n\na,b\n"one\ntwo",x\n , \nlast,y\n'
    assert rows(data) == [(3, ("a", "b")), (4, ("one two", "x")), (7, ("last", "y"))]


def test_a_chosen_encoding_is_used_instead_of_a_guess():
    data = "名,王\n".encode("gbk")
    assert read_sheet(data).encoding == "GBK"
    assert read_sheet(data).is_guess
    chosen = read_sheet(data, encoding="Latin-1")
    assert not chosen.is_guess
    assert chosen.rows[0].cells != ("名", "王")
    for name in encodings_of(data):
        assert read_sheet(data, encoding=name).encoding == name


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"a,b\n" + b"\n" * 10_000_000, "10,000,001 lines", id="empty lines"),
        pytest.param(b"a,b\r" + b"\r" * MOST_LINES, "20,001 lines", id="empty lines of a Mac"),
        pytest.param(b"a" * (MOST_BYTES + 1), "2.0 MB", id="one long line"),
        pytest.param(b"PK\x03\x04rest", "workbook", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0", "workbook", id="xls"),
        pytest.param(bytes(9), "not text", id="zeros"),
        pytest.param(b'a,b\n1,"open\n', "line 2: it is not CSV", id="open quote"),
        pytest.param(b'a,b\n1,"x"y\n', "line 2: it is not CSV", id="text behind a quote"),
        pytest.param(b"a\n" + b"x" * 200_000, "line 2: it is not CSV", id="endless cell"),
    ],
)
def test_what_is_no_table_is_refused_before_it_costs_anything(data, said):
    begin = time.process_time()
    with pytest.raises(TableError, match=said):
        read_sheet(data)
    assert time.process_time() - begin < 1


WIDE = SheetLimits(lines=200_000, bytes=20_000_000)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"," * 20_000_000, id="one row of commas"),
        pytest.param((b"," * 999 + b"\n") * 20_000, id="many rows of commas"),
        pytest.param(b"a,b\n" + (b"1" + b"," * 99 + b"\n") * 190_000, id="empty columns"),
    ],
)
def test_a_file_that_may_be_large_still_has_no_more_cells_than_can_be_read(data):
    begin = time.process_time()
    with pytest.raises(TableError, match=f"a table may have {MOST_CELLS:,} cells"):
        read_sheet(data, limits=WIDE)
    assert time.process_time() - begin < 3


def test_other_limits_take_more_lines():
    data = b"a,b\n" + b"1,2\n" * (MOST_LINES + 1)
    assert len(read_sheet(data, limits=WIDE).rows) == MOST_LINES + 2


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_rows_or_refused(data):
    try:
        sheet = read_sheet(data)
    except TableError:
        return
    assert all(any(row.cells) for row in sheet.rows)
    assert [row.line for row in sheet.rows] == sorted({row.line for row in sheet.rows})
