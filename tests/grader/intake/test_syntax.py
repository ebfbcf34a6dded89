"""What is no Python, and what is Python of a newer version than the one that grades."""

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.intake import compiling, receive_files
from grader.intake.compiling import (
    BARE_EXCEPT,
    F_STRING,
    SINCE,
    T_STRING,
    TYPE_PARAMETERS,
    TYPE_STATEMENT,
    fault_of,
    in_older_syntax,
)
from grader.intake.syntax import syntax_fault

OURS = sys.version_info[:2]
NEWER = [
    ('f"{d["a"]}"', F_STRING),
    ("f'{d['a']}'", F_STRING),
    ("f'{'\\n'.join(a)}'", F_STRING),
    ('f"{x # why\n}"', F_STRING),
    ('f"{\n  x\n}"', F_STRING),
    ('f"{f"{f"{1 + 1}"}"}"', F_STRING),
    ("f'{x!r:>{d['w']}}'", F_STRING),
    ('f"{d["a"]=}" f"{y=!r:5}"', F_STRING),
    ('f"{{{d["a"]}}}"', F_STRING),
    ('rf"\\{d["a"]}"', F_STRING),
    ('f"\\N{EN DASH}{d["a"]}"', F_STRING),
    ('f"{(lambda q: q["a"])(d)}" "tail"', F_STRING),
    ("f'{d['a'] if x != 1 else [1, {2: '}'}]}'", F_STRING),
    ('print(f"{x:{"^"}10}")', F_STRING),
    ("type X = int", TYPE_STATEMENT),
    ("if x: type X = int", TYPE_STATEMENT),
    ("type X[T] = list[T]", TYPE_STATEMENT),
    ("def f[T](a: T) -> T:\n    return a", TYPE_PARAMETERS),
    ("async def f[T: (int, str), *A, **P](a): pass", TYPE_PARAMETERS),
    ("class A[T]:\n    x = '[('", TYPE_PARAMETERS),
    ("class A[\n    T\n](B): pass", TYPE_PARAMETERS),
    ("def f[T = int](): pass", TYPE_PARAMETERS),
    ("try: pass\nexcept A, B: pass", BARE_EXCEPT),
    ("try: pass\nexcept* A, b.C: pass", BARE_EXCEPT),
    ('t"hello {name}"', T_STRING),
]
FIRST_LINE = {BARE_EXCEPT: 2}  # its `try` stands above it
BROKEN = [
    "def f(:", "x = = 1", 'f"{d["a"]}', 'f"{a b}"', "f'{d['a'}'", 'f"{}"', "type X int",
    "type X = ", "def f[T(): pass", "class A[T] pass", "except A, B:", 'f"{d["a"]}" +', "x = 'a",
    'f"{d["a"]:{}"', "'''", "print 'x'", "f'{'", "(" * 300, "type = = 1",
]  # fmt: skip
PLAIN = [
    "type = 3", "type(x)", "type (x)", "type[0]", "f'{x}'", 'f"{d[\'a\']}"', "def f(a): pass",
    "class A: pass", "try:\n    pass\nexcept (A, B):\n    pass", "try:\n    pass\nexcept* A: pass",
    "match x:\n    case [1, _]: pass", "with (a as b, c as d): pass", "x = '[('  # {",
]  # fmt: skip


@pytest.mark.parametrize(("text", "what"), NEWER)
@pytest.mark.parametrize("above", [0, 2])
def test_newer_syntax_is_named_with_line_and_version(text, what, above):
    fault = fault_of(("# '\n" * above + f"{text}\n").encode())
    if SINCE[what] <= OURS:
        assert fault is None
    else:
        since = "{}.{}".format(*SINCE[what])
        assert fault == [FIRST_LINE.get(what, 1) + above, "SyntaxError", what, since]


@pytest.mark.parametrize("text", BROKEN)
def test_what_no_python_reads_stays_an_ordinary_mistake(text):
    assert len(fault_of(text.encode())) == 3
    assert len(fault_of(f'f"{{d["a"]}}"\n{text}'.encode())) == 3


@pytest.mark.parametrize("text", PLAIN)
def test_what_this_python_reads_is_no_fault(text):
    assert fault_of(text.encode()) is None


@pytest.mark.parametrize("text", [text for text, _ in NEWER] + PLAIN)
def test_lines_keep_their_numbers(text):
    assert in_older_syntax(text, {}).count("\n") == text.count("\n")


def test_our_own_code_reads_the_same_in_older_syntax():
    found = {}
    source = Path(compiling.__file__).read_text(encoding="utf-8")
    older = in_older_syntax(source, found)
    assert found == {}
    compile(older, "older", "exec")
    assert older.count("\n") == source.count("\n")


_pieces = st.lists(
    st.sampled_from(
        ["f'", 'f"', "'", '"', "{", "}", "{{", "!r", ":", "=", "x", "[", "]", "(", ")", "\n",
         "type X", "def f", "class A", "except ", ",", "#", "\\", "\\N{", "'''", " "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(_pieces)
def test_any_text_has_a_fault_or_none(text):
    fault = fault_of(text.encode())
    json.dumps(fault)
    assert fault is None or len(fault) in (3, 4)


def test_a_megabyte_of_newer_syntax_is_told_in_seconds():
    fault = syntax_fault(b'x = f"{d["a"]}" + "b"\n' * 45_000)
    assert fault is None if OURS >= (3, 12) else fault.since == "3.12"


@pytest.mark.skipif(OURS >= (3, 12), reason="this Python knows it")
def test_a_student_reads_which_python_grades(lab, good):
    source = b'def relu(x):\n    return f"{_D["a"]}"\n'
    (notice,) = receive_files([*(good | {"toy/layers.py": source}).items()], lab).notices
    assert notice == (
        f"toy/layers.py line 2: SyntaxError: {F_STRING} needs Python 3.12, and your work is graded "
        "with Python {}.{}. Write it in the older way; tests that need this file will fail. Fix it "
        "and upload again.".format(*OURS)
    )
