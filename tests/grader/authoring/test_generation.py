"""Automatic mutants: one change each, only where students write, the same ones every time."""

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.authoring.validate.automatic import file_mutants, sample

MARKED = '''
import math

import numpy as np

LIMIT = 5


def given(x: int = 3) -> int:
    """Not to be changed: 1 + 1."""
    return x + 1


# BEGIN SOLUTION
SIZES = (1, 2)


def used(x):
    """Return x + 1."""
    return x + 1


def only_drawn(x):
    return x + 2


# END SOLUTION


def answer(x: np.ndarray) -> float:
    """Return something: 1 + 1."""
    # BEGIN SOLUTION
    total: list[-1] = used(x) - 4
    if total < 0:
        raise ValueError(f"{total + 1} is below 0", 1 + 1)
    return total
    # END SOLUTION


def main():
    # BEGIN SOLUTION
    print(only_drawn(answer(7)))
    # END SOLUTION
'''


def described(code):
    """Return (operator, line after the change) of the mutants of a function's body."""
    body = textwrap.indent(textwrap.dedent(code).strip(), "    ")
    text = (
        "import math\nimport numpy as np\n\n\ndef f(x, y, z):\n"
        f"    # BEGIN SOLUTION\n{body}\n    # END SOLUTION\n"
    )
    return [(mutant.operator, mutant.after) for mutant in file_mutants("lab/a.py", text.encode())]


@pytest.mark.parametrize(
    ("code", "operator", "after"),
    [
        ("x = f(3)", "number", ["x = f(4)", "x = f(2)"]),
        ("x = f(100)", "number", ["x = f(200)", "x = f(50)"]),
        ("x = f(0.5)", "number", ["x = f(1.0)", "x = f(-0.5)"]),
        ("x = f(0.0)", "number", ["x = f(1.0)"]),
        ("x = f(-0.5)", "number", ["x = f(-1.0)"]),
        ("x = range(len(x) - 1)", "number", ["x = range(len(x) - 2)", "x = range(len(x) - 0)"]),
        ("x = f(x, flag=True)", "truth", ["x = f(x, flag=False)"]),
        ("x = x + y", "arithmetic", ["x = x - y"]),
        ("x = (x) * (y)", "arithmetic", ["x = (x) / (y)"]),
        ("x = x @ y", "arithmetic", ["x = x * y"]),
        ("x **= 2", "arithmetic", ["x *= 2"]),
        ("x = x < y", "comparison", ["x = x <= y", "x = x >= y"]),
        ("x = x is not y", "comparison", ["x = x is y"]),
        ("x = x not  in y", "comparison", ["x = x in y"]),
        ("x = x and y and z", "boolean", ["x = x or y and z", "x = x and y or z"]),
        ("while x and y: z()", "negate", ["while not (x and y): z()"]),
        ("x = [y for y in x if y]", "negate", ["x = [y for y in x if not (y)]"]),
        ("x = not (y or z)", "negate", ["x = (y or z)"]),
        ("x = -y", "sign", ["x = y"]),
        ("return x * y", "sign", ["return -(x * y)"]),
        ("return np.exp(x)", "sign", ["return -(np.exp(x))"]),
        ("return f(x)", "sign", []),
        ("x = x.sum(axis=-1)", "axis", ["x = x.sum(axis=0)", "x = x.sum()"]),
        ("x = x.sum(dim=0, keepdim=True)", "axis", [
            "x = x.sum(dim=-1, keepdim=True)", "x = x.sum(keepdim=True)",
        ]),
        ("x = np.mean((x), axis=(0, 2))", "axis", ["x = np.mean((x))"]),
        ("x = x.max(axis=1, keepdims=True)", "keepdims", ["x = x.max(axis=1)"]),
        ("x = f(x, y, z)", "swap", ["x = f(y, x, z)", "x = f(x, z, y)"]),
        ("x = np.maximum(x, y)", "swap", []),
        ("x = f(x, 'text')", "swap", []),
        ("x = f(x, x)", "swap", []),
        ("return x, y", "swap", ["return y, x"]),
        ("x = np.mean(y)", "function", ["x = np.sum(y)"]),
        ("x = min(x, y)", "function", ["x = max(x, y)"]),
        ("x.eval()", "function", ["x.train()"]),
        ("x = np.sqrt(y)", "unwrap", ["x = (y)"]),
        ("x = (x + y).square().mean()", "unwrap", ["x = (x + y).mean()"]),
        ("x = y.T @ z", "unwrap", ["x = y @ z"]),
        ("x = np.log(y, z)", "unwrap", []),
        ("x = f(y)", "drop", ["pass"]),
        ("new = f(y)", "drop", []),
        ("x.weight = y", "drop", ["pass"]),
        ("x += 1", "drop", ["pass"]),
        ("x.step()", "drop", ["pass"]),
        ("raise ValueError(x + 1)", "drop", ["pass"]),
        ("for x in y: break", "loop", ["for x in y: continue"]),
    ],
)  # fmt: skip
def test_an_operator_makes_its_changes(code, operator, after):
    assert [line for name, line in described(code) if name == operator] == after


def test_only_what_students_write_and_tests_reach_is_changed():
    mutants = file_mutants("lab/a.py", MARKED.encode())
    assert {mutant.before for mutant in mutants} == {
        "SIZES = (1, 2)",
        "return x + 1",
        "total: list[-1] = used(x) - 4",
        "if total < 0:",
        'raise ValueError(f"{total + 1} is below 0", 1 + 1)',
    }
    assert {mutant.operator for mutant in mutants if "raise" in mutant.before} == {"drop"}
    assert all("-1" in mutant.after for mutant in mutants if "list" in mutant.before)
    assert {mutant.function for mutant in mutants if "x + 1" in mutant.before} == {"used"}


def test_what_another_file_imports_is_reached():
    mutants = file_mutants("lab/a.py", MARKED.encode(), {"only_drawn"})
    assert "only_drawn" in {mutant.function for mutant in mutants}


def test_a_file_without_marks_has_no_mutants():
    assert file_mutants("lab/a.py", b"def f(x):\n    return x + 1\n") == []


def test_names_survive_edits_elsewhere_and_tell_mutants_apart():
    names = [mutant.name for mutant in file_mutants("lab/a.py", MARKED.encode())]
    assert len(set(names)) == len(names)
    longer = MARKED.replace("LIMIT = 5", "LIMIT = 5\nMORE = 6").replace("SIZES = (1, 2)", "")
    later = {mutant.name for mutant in file_mutants("lab/a.py", longer.encode())}
    assert {name for name in names if "answer" in name} <= later
    changed = MARKED.replace("used(x) - 4", "used(x) - 40")
    others = {mutant.name for mutant in file_mutants("lab/a.py", changed.encode())}
    assert {name for name in names if name not in others} == {
        mutant.name
        for mutant in file_mutants("lab/a.py", MARKED.encode())
        if mutant.before.endswith("- 4")
    }


def test_text_that_is_not_ascii_keeps_its_place():
    (mutant,) = [m for m in described('x = f("→ ü")  + y') if m[0] == "arithmetic"]
    assert mutant[1] == 'x = f("→ ü") - y'


def test_a_comment_between_two_operands_is_no_operator():
    code = "x = (\n    x  # not - but\n    - y\n)"
    assert ("arithmetic", "+ y") in described(code)


def test_a_sample_is_always_the_same_and_in_order():
    mutants = file_mutants("lab/a.py", MARKED.encode())
    chosen = sample(mutants, 5)
    assert chosen == sample(mutants, 5)
    assert [m for m in mutants if m in chosen] == chosen
    assert len(chosen) == 5
    assert sample(mutants, None) == sample(mutants, 10_000) == mutants


NAMES = st.sampled_from(["x", "y", "np", "math.pi", "x.T"])
SIGNS = st.sampled_from("+ - * / // ** @ < >= == in and or".split())
LITERALS = st.one_of(
    st.integers(-20, 200).map(repr),
    st.floats(-5, 5).map(repr),
    st.sampled_from(["True", "None", "'é'", "f'{x}'"]),
)


def _larger(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, SIGNS, inner).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        pair.map(lambda p: f"f({p[0]}, {p[1]}, axis=0, keepdims=True)"),
        pair.map(lambda p: f"np.mean({p[0]}, dim=-1)[{p[1]}]"),
        pair.map(lambda p: f"(({p[0]}) if ({p[1]}) else x)"),
        inner.map(lambda e: f"-({e})"),
        inner.map(lambda e: f"not ({e})"),
        inner.map(lambda e: f"[y for y in x if ({e})]"),
        inner.map(lambda e: f"({e}).copy()"),
        inner.map(lambda e: f"(\n  {e}  # a + comment\n)"),
    )


EXPRESSIONS = st.recursive(st.one_of(NAMES, LITERALS), _larger, max_leaves=6)
STATEMENTS = st.tuples(
    st.sampled_from(["x = {}", "x += {}", "f({})", "return {}", "if {}: pass", "x[0] = {}"]),
    EXPRESSIONS,
).map(lambda pair: pair[0].format(pair[1]))


@given(st.lists(STATEMENTS, min_size=1, max_size=3))
def test_every_mutant_compiles_differs_and_is_made_again(statements):
    body = "\n".join(textwrap.indent(statement, "    ") for statement in statements)
    head = "import math\nimport numpy as np\ndef f(x, y):\n    # BEGIN SOLUTION\n"
    text = f"{head}{body}\n    # END SOLUTION\n"
    mutants = file_mutants("lab/a.py", text.encode())
    assert mutants == file_mutants("lab/a.py", text.encode())
    trees = {ast.dump(ast.parse(text))}
    for mutant in mutants:
        tree = ast.dump(ast.parse(mutant.content))
        assert tree not in trees
        trees.add(tree)
    assert len({mutant.name for mutant in mutants}) == len(mutants)
