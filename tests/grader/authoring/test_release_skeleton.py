"""A skeleton is its reference without the solutions, and still a module; bad marks are told."""

import ast
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.authoring.release.skeleton import MarkError, skeleton_of, solution_lines


def skeleton(source):
    return skeleton_of(dedent(source), "lab.py")


def problems(source):
    with pytest.raises(MarkError) as refused:
        skeleton(source)
    return refused.value.problems


def test_a_solution_in_a_function_becomes_an_error_that_names_the_function():
    assert skeleton('''\
        def fit(x):
            """Fit."""
            # BEGIN SOLUTION
            y = x

            return y
            # END SOLUTION


        def given(x):
            return x
        ''') == dedent('''\
        def fit(x):
            """Fit."""
            raise NotImplementedError("fit is not written yet")


        def given(x):
            return x
        ''')  # fmt: skip


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param("class A:\n  def f(self):\n    {}", "A.f", id="method"),
        pytest.param("class A:\n  def __init__(self):\n    {}", "A", id="constructor"),
        pytest.param(
            "class A:\n  class B:\n    def f(self):\n      {}", "A.B.f", id="nested-class"
        ),
        pytest.param("def f():\n  def g():\n    {}", "f.g", id="nested-function"),
        pytest.param("async def f():\n  for x in y:\n    {}", "f", id="loop-in-async"),
        pytest.param("def f():\n  try:\n    pass\n  except E:\n    {}", "f", id="handler"),
        pytest.param("def f(x):\n  match x:\n    case 1:\n      {}", "f", id="match-case"),
        pytest.param("def __init__():\n  {}", "__init__", id="function-called-init"),
    ],
)
def test_a_part_is_named_as_a_student_knows_it(source, told):
    indent = source[: source.index("{}")].rpartition("\n")[2]
    block = f"\n{indent}".join(["# BEGIN SOLUTION", "return 1", "# END SOLUTION"])
    text = skeleton_of(source.replace("{}", block) + "\n", "lab.py")
    assert text.endswith(f'\n{indent}raise NotImplementedError("{told} is not written yet")\n')
    assert "SOLUTION" not in text


def test_several_solutions_of_one_function_are_counted():
    text = skeleton("""\
        def f(x):
            # BEGIN SOLUTION
            a = 1
            # END SOLUTION
            b = x
            # BEGIN SOLUTION
            return a + b
            # END SOLUTION
        """)
    assert (
        '    raise NotImplementedError("f is not written yet (part 1 of 2)")\n    b = x\n' in text
    )
    assert text.endswith('raise NotImplementedError("f is not written yet (part 2 of 2)")\n')


def test_solutions_outside_functions_vanish_with_their_blank_lines():
    assert skeleton('''\
        import a

        # BEGIN SOLUTION
        import b

        X = 1
        # END SOLUTION


        class A:
            """Given."""

            # BEGIN SOLUTION
            y = 2
            # END SOLUTION

            z = 3


        # BEGIN SOLUTION
        def helper():
            pass


        # END SOLUTION
        ''') == dedent('''\
        import a


        class A:
            """Given."""

            z = 3
        ''')  # fmt: skip


def test_a_mark_within_a_string_is_text():
    source = 'TEXT = """\n# BEGIN SOLUTION\n"""\n'
    assert skeleton_of(source, "lab.py") == source


@pytest.mark.parametrize("comment", ["# find solution", "# The solution ends here.", "#"])
def test_an_ordinary_comment_is_no_mark(comment):
    assert skeleton_of(f"{comment}\nx = 1\n", "lab.py") == f"{comment}\nx = 1\n"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param(
            "# BEGIN SOLUTION\nx = 1\n", "lab.py:1: BEGIN SOLUTION has no END", id="unclosed"
        ),
        pytest.param("x = 1\n# END SOLUTION\n", "lab.py:2: END SOLUTION without", id="end-alone"),
        pytest.param(
            "# BEGIN SOLUTION\n# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n",
            "lab.py:2: BEGIN inside the solution begun at 1",
            id="nested",
        ),
        pytest.param(
            "#BEGIN SOLUTION\nx = 1\n# END SOLUTION\n",
            "lab.py:1: write exactly '# BEGIN SOLUTION'",
            id="no-space",
        ),
        pytest.param(
            "# BEGN SOLUTION\nx = 1\n# END SOLUTION\n",
            "lab.py:1: write exactly '# BEGIN SOLUTION'",
            id="misspelt",
        ),
        pytest.param(
            "x = 1  # BEGIN SOLUTION\ny = 1\n# END SOLUTION\n",
            "lab.py:1: a mark stands on a line of its own",
            id="beside-code",
        ),
        pytest.param(
            "def f():\n    # BEGIN SOLUTION\n    x = 1\n# END SOLUTION\n",
            "lab.py:4: END stands at column 0, its BEGIN in line 2 at 4",
            id="columns",
        ),
        pytest.param(
            "# BEGIN SOLUTION\n# nothing\n# END SOLUTION\n",
            "lab.py:1: there is no whole statement",
            id="only-a-comment",
        ),
        pytest.param(
            "x = [\n    # BEGIN SOLUTION\n    1,\n    # END SOLUTION\n]\n",
            "lab.py:2: there is no whole statement",
            id="inside-an-expression",
        ),
        pytest.param(
            "# BEGIN SOLUTION\ndef f():\n    x = 1\n# END SOLUTION\n    return x\n",
            "lab.py:4: this mark cuts the statement of lines 2 to 5 in two",
            id="end-cuts",
        ),
        pytest.param(
            "@wrap\n# BEGIN SOLUTION\ndef f():\n    pass\n# END SOLUTION\n",
            "lab.py:2: this mark cuts the statement of lines 1 to 4 in two",
            id="decorator-outside",
        ),
        pytest.param(
            "if a:\n    b()\n# BEGIN SOLUTION\nelif c:\n    d()\n# END SOLUTION\n",
            "lab.py:3: this mark cuts the statement of lines 1 to 5 in two",
            id="elif",
        ),
        pytest.param(
            "if a:\n    # BEGIN SOLUTION\n    b()\nelse:\n    d()\n    # END SOLUTION\n",
            "lab.py:2: the marks stand at another depth",
            id="over-two-branches",
        ),
        pytest.param(
            "class A:\n    # BEGIN SOLUTION\n    x = 1\n    # END SOLUTION\n",
            "lab.py:2: nothing would be left of class A",
            id="empty-class",
        ),
        pytest.param(
            "if a:\n    # BEGIN SOLUTION\n    b()\n    # END SOLUTION\n",
            "lab.py:2: nothing would be left of this branch",
            id="empty-branch",
        ),
        pytest.param("def f(:\n", "lab.py:1: is not Python", id="syntax"),
    ],
)  # fmt: skip
def test_marks_that_cannot_be_followed_are_told_with_file_and_line(source, told):
    assert any(problem.startswith(told) for problem in problems(source)), problems(source)


def test_every_problem_is_told_not_only_the_first():
    source = "# END SOLUTION\n#BEGIN SOLUTION\nx = 1\n# END SOLUTION\n"
    assert problems(source) == [
        "lab.py:1: END SOLUTION without a BEGIN before it",
        "lab.py:2: write exactly '# BEGIN SOLUTION', not '#BEGIN SOLUTION'",
    ]


# ------------------------------------------------------------------------- over generated modules

NAMES = st.sampled_from(["fit", "step", "loss", "forward"])


@st.composite
def solution(draw, indent):
    """A marked block whose every line is recognised by the word SECRET."""
    body = draw(
        st.lists(
            st.sampled_from(
                [
                    ["SECRET = 1"],
                    ["if SECRET:", "    SECRET = 2", "", "else:", "    SECRET = 3"],
                    ["# why SECRET", "SECRET = (", "    SECRET,", ")"],
                    ["def SECRET():", '    """SECRET."""', "    return SECRET"],
                    ["for SECRET in []:", "    pass  # SECRET"],
                    ["SECRET = '''", "SECRET", "'''"],
                ]
            ),
            min_size=1,
            max_size=3,
        )
    )
    lines = ["# BEGIN SOLUTION", *(line for part in body for line in part), "# END SOLUTION"]
    return [f"{indent}{line}" if line else "" for line in lines]


@st.composite
def function(draw, indent=""):
    """A function with a signature, a docstring and perhaps given lines around its solution."""
    arguments = draw(st.sampled_from(["", "x", "x, *, y=1", "*args: int, **more: str"]))
    own = draw(st.sampled_from(["", "async "]))
    lines = [f"{indent}{own}def {draw(NAMES)}({arguments}) -> object:"]
    lines.append(f'{indent}    """Say {draw(st.integers(0, 9))}.')
    lines += ["", f"{indent}    Shapes: given.", f'{indent}    """']
    for _ in range(draw(st.integers(1, 3))):
        given_line = f"{indent}    kept = {draw(st.integers(0, 9))}"
        lines += draw(st.one_of(solution(indent + "    "), st.just([given_line, ""])))
    nested = draw(st.booleans())
    if nested:
        lines += [f"{indent}    if kept:", *draw(solution(indent + " " * 8))]
    return lines


@st.composite
def a_class(draw):
    lines = ["class Net:", '    """A net."""', ""]
    for _ in range(draw(st.integers(1, 3))):
        lines += [*draw(st.one_of(function("    "), solution("    "))), ""]
    return lines


@st.composite
def modules(draw):
    """The text of a module; every solution line has SECRET in it or could be anybody's."""
    lines = ['"""A module."""', "", "import math", ""]
    for _ in range(draw(st.integers(1, 4))):
        lines += [*draw(st.one_of(function(), a_class(), solution(""))), "", ""]
    return "\n".join(lines) + "\n"


def outline(source):
    """Return signature and docstring of everything that is not part of a solution."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name != "SECRET":
            found.append((node.name, ast.unparse(node.args), ast.unparse(node.returns)))
            found.append(ast.get_docstring(node))
        elif isinstance(node, ast.ClassDef | ast.Module):
            found.append(ast.get_docstring(node))
    return found


@settings(max_examples=150, deadline=None)
@given(modules())
def test_every_skeleton_parses_keeps_what_is_given_and_holds_no_solution(source):
    made = skeleton_of(source, "lab.py")
    assert outline(made) == outline(source)
    assert "SECRET" not in made and "SOLUTION" not in made
    given_lines = [line for line in outside_marks(source) if line.strip()]
    kept = [line for line in made.split("\n") if line.strip() and "NotImplementedError" not in line]
    assert kept == given_lines
    assert skeleton_of(made, "lab.py") == made


@settings(max_examples=50, deadline=None)
@given(modules())
def test_the_lines_of_solutions_are_those_between_marks(source):
    lines = source.split("\n")
    inside = len([line for line in lines if line.strip()]) - len(
        [line for line in outside_marks(source) if line.strip()]
    )
    assert len(solution_lines(source, "lab.py")) == inside - source.count("SOLUTION")


def outside_marks(source):
    kept, inside = [], False
    for line in source.split("\n"):
        if line.strip() == "# BEGIN SOLUTION":
            inside = True
        if not inside:
            kept.append(line)
        if line.strip() == "# END SOLUTION":
            inside = False
    return kept
