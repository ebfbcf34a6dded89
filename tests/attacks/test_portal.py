"""Every way of attacking the portal that the table names has a test in `portal/`."""

import ast
from collections import Counter
from pathlib import Path

from attacks.portal.rows import NAMES, ROWS

HERE = Path(__file__).parent / "portal"


def named():
    """Yield the names of rows that tests bear, read from their text."""
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "row":
                    yield from (argument.value for argument in mark.args)


def test_every_row_has_its_test():
    tested = Counter(named())
    assert set(tested) == NAMES


def test_rows_have_names_of_their_own_and_say_what_they_try():
    assert len(NAMES) == len(ROWS) >= 50
    assert all(row.tries and not row.tries.endswith(".") for row in ROWS)
