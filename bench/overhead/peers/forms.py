"""Puts the checks into each peer's own form."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

CHECKS = Path(__file__).with_name("checks.py")


def checks() -> str:
    """Return the checks as they stand in their file."""
    return CHECKS.read_text(encoding="utf-8")


def names() -> list[str]:
    """Return what is checked: softmax, cross_entropy, ..."""
    functions = [
        node.name for node in ast.parse(checks()).body if isinstance(node, ast.FunctionDef)
    ]
    return [name.removeprefix("check_") for name in functions if name.startswith("check_")]


def pytest_module() -> str:
    """Return a module of test functions beside the student's ``functions.py``."""
    tests = [f"def test_{name}():\n    check_{name}(functions)\n" for name in names()]
    return "\n\n".join([f"import functions\n\n{checks()}", *tests])


def unittest_module() -> str:
    """Return a test case with weights, as the examples of gradescope-utils have it."""
    head = "import unittest\n\nimport functions\nfrom gradescope_utils.autograder_utils.decorators "
    head += f"import weight\n\n{checks()}\n\nclass TestFunctions(unittest.TestCase):\n"
    tests = [
        f"    @weight(1)\n    def test_{name}(self):\n        check_{name}(functions)\n"
        for name in names()
    ]
    return head + "\n".join(tests)


GRADESCOPE_RUNNER = """\
import unittest
from gradescope_utils.autograder_utils.json_test_runner import JSONTestRunner

if __name__ == "__main__":
    suite = unittest.defaultTestLoader.discover("tests")
    with open("results.json", "w") as f:
        JSONTestRunner(visibility="hidden", stream=f).run(suite)
"""


def otter_test(name: str) -> str:
    """Return a question's test file in otter's exception-based format."""
    return (
        "from otter.test_files import test_case\n\n"
        f'OK_FORMAT = False\nname = "{name}"\npoints = 1\n\n{checks()}\n\n'
        f"@test_case(points=1, hidden=True)\ndef test_{name}(env):\n"
        f"    import types\n\n    check_{name}(types.SimpleNamespace(**env))\n"
    )


def notebook(*cells: Any) -> nbformat.NotebookNode:
    """Return a notebook for the kernel every environment has."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return new_notebook(cells=list(cells), metadata={"kernelspec": kernel})


def otter_notebook(source: str) -> nbformat.NotebookNode:
    """Return a student's notebook for otter."""
    return notebook(new_code_cell(source))


def nbgrader_notebook(solution: str) -> nbformat.NotebookNode:
    """Return the instructor's notebook: one cell to write in, one of hidden tests each check."""
    answer = f"### BEGIN SOLUTION\n{solution}\n### END SOLUTION"
    cells = [_graded(answer, "functions", solution=True)]
    for name in names():
        body = f"{checks()}\n\nimport sys\n\ncheck_{name}(sys.modules['__main__'])"
        test = f"# Hidden tests of {name}\n### BEGIN HIDDEN TESTS\n{body}\n### END HIDDEN TESTS"
        cells.append(_graded(test, f"test_{name}", points=1))
    return notebook(*cells)


def _graded(
    source: str, name: str, *, solution: bool = False, points: int | None = None
) -> nbformat.NotebookNode:
    cell = new_code_cell(source)
    cell.metadata["nbgrader"] = {
        "grade": points is not None,
        "grade_id": name,
        "locked": not solution,
        "schema_version": 3,
        "solution": solution,
        "task": False,
        **({} if points is None else {"points": points}),
    }
    return cell
