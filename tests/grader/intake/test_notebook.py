"""Notebooks become modules without running anything, and hostile ones become rejections."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import Rejected
from grader.intake.notebook import modules_of

PATHS = ("fnn/layers.py", "fnn/model.py", "results.csv")
LIMIT = 1_000_000


def cell(source, tags=(), kind="code", **more):
    made = {"cell_type": kind, "metadata": {"tags": list(tags)}, "source": source, **more}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def book(*cells, **more) -> bytes:
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells), **more}
    ).encode()


def read(data: bytes, limit=LIMIT):
    return modules_of("hw.ipynb", data, PATHS, limit)


def reasons(data: bytes, limit=LIMIT) -> str:
    with pytest.raises(Rejected) as caught:
        read(data, limit)
    return "\n".join(caught.value.reasons)


@pytest.mark.parametrize(
    "marked",
    [
        pytest.param(cell("# file: layers.py\nx = 1"), id="marker"),
        pytest.param(cell("# file: fnn/layers.py\nx = 1"), id="marker-in-full"),
        pytest.param(cell("\n#file: layers.py\nx = 1"), id="marker-loosely"),
        pytest.param(cell("%%writefile layers.py\nx = 1"), id="writefile"),
        pytest.param(cell("x = 1", ["layers.py"]), id="tag"),
        pytest.param(cell("x = 1", ["fnn/layers.py", "active-ipynb"]), id="tag-in-full"),
        pytest.param(cell("# file: layers.py\nx = 1", ["layers.py"]), id="tag-and-marker"),
        pytest.param(cell(["# file: layers.py\r\n", "x = 1"]), id="list-of-lines"),
    ],
)
def test_a_marked_cell_is_a_file(marked):
    found = read(book(cell("# Title", kind="markdown"), cell("y = 2"), marked))
    assert list(found.sources) == ["fnn/layers.py"]
    assert b"x = 1" in found.sources["fnn/layers.py"]
    assert b"active" not in found.sources["fnn/layers.py"]
    assert found.notices == ()


def test_python_stays_as_it_is():
    source = "# file: layers.py\ndef f(cp):\n    y = (3 +\ncp - 1\n)\n    return '''\n%time\n'''\n"
    assert read(book(cell(source))).sources["fnn/layers.py"].decode() == source


@pytest.mark.parametrize(
    "line", ["!rm -rf /", "%load_ext evil", "%%bash", "x = !ls", "np?", "%cd /", "    !ls"]
)
def test_a_notebook_command_is_commented_with_a_notice(line):
    body = f"# file: layers.py\ndef f():\n    pass\n{line}\ny = 2\n"
    found = read(book(cell(body), metadata={"jupytext": {"comment_magics": False}}))
    source = found.sources["fnn/layers.py"].decode()
    assert line.strip() in found.notices[0] and "cell 1 (fnn/layers.py)" in found.notices[0]
    assert all(
        text.lstrip().startswith(("#", "pass  #"))
        for text in source.splitlines()
        if line.strip() in text
    )


def test_a_whole_cell_of_shell_is_commented():
    found = read(book(cell("%%bash\nrm -rf /", ["layers.py"])))
    lines = found.sources["fnn/layers.py"].decode().splitlines()
    assert all(not line or line.startswith("#") for line in lines)


def test_two_cells_for_one_file_are_refused_with_their_numbers():
    twice = [
        cell("# file: layers.py\nx = 1"),
        cell("text", kind="markdown"),
        cell("y", ["layers.py"]),
    ]
    said = reasons(book(*twice))
    assert "cells 1 and 3" in said and "into one cell" in said


def test_a_mark_for_a_file_not_asked_for_is_a_notice():
    found = read(book(cell("# file: helper.py\nx = 1")))
    assert found.sources == {}
    assert "cell 1: it is marked for helper.py" in found.notices[0]


def test_outputs_and_metadata_are_never_read():
    nasty = cell("# file: layers.py\nx = 1", outputs=[{"data": {"text/html": "<script>"}}] * 3)
    assert b"script" not in read(book(nasty, metadata={"kernelspec": 7})).sources["fnn/layers.py"]


def test_an_old_notebook_is_read():
    old = {"cell_type": "code", "language": "python", "input": ["# file: layers.py\n", "x = 1"]}
    data = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [old]}]}
    assert read(json.dumps(data).encode()).sources == {
        "fnn/layers.py": b"# file: layers.py\nx = 1\n"
    }


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "nothing was saved", id="empty"),
        pytest.param(b" \n", "nothing was saved", id="blank"),
        pytest.param(book(), "no code", id="no-cells"),
        pytest.param(book(cell("  \n"), cell("words", kind="markdown")), "no code", id="no-code"),
        pytest.param(b"{not json", "damaged or is not a notebook", id="not-json"),
        pytest.param(b"[]", "damaged or is not a notebook", id="a-list"),
        pytest.param(b'{"cells": []}', "damaged or is not a notebook", id="no-version"),
        pytest.param(b"\xff\xfe\x00", "damaged or is not a notebook", id="not-text"),
        pytest.param(b"[" * 200_000, "damaged or is not a notebook", id="deep"),
        pytest.param(book(nbformat=9), "not known", id="from-the-future"),
        pytest.param(book(7), "damaged or is not a notebook", id="cell-is-a-number"),
        pytest.param(book(cell("x", metadata=[1])), "damaged", id="metadata-is-a-list"),
        pytest.param(b" " * (LIMIT + 1), "Clear its outputs", id="too-large"),
    ],
)
def test_a_notebook_that_cannot_be_read_is_refused(data, why):
    assert why in reasons(data)


def test_a_notebook_of_a_million_lists_is_held_in_bounds():
    assert "damaged" in reasons(b"[" + b"[]," * 7_000_000 + b"[]]", limit=30_000_000)


@settings(max_examples=40, deadline=None)
@given(
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["nbformat", "cells", "metadata", "tags", "source", "cell_type"]),
            inner, max_size=5,
        ),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_json_is_read_or_refused(data):
    notebook = {"nbformat": 4, "cells": data} if not isinstance(data, dict) else data
    try:
        read(json.dumps(notebook).encode())
    except Rejected as rejected:
        assert rejected.reasons


@settings(max_examples=40, deadline=None)
@given(source=st.text(max_size=120))
def test_any_cell_text_is_read(source):
    read(book(cell("# file: layers.py\n" + source)))
