"""Every way of attacking the portal that the table names has a test in `portal/`."""

import ast
import importlib.util
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent / "portal"
_spec = importlib.util.spec_from_file_location("portal_attack_table", HERE / "rows.py")
_rows = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _rows
_spec.loader.exec_module(_rows)


def named():
    """Yield the names of rows that tests bear, read from their text."""
    for file in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for mark in getattr(node, "decorator_list", ()):
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", "") == "row":
                    yield from (argument.value for argument in mark.args)


def test_every_row_has_its_test():
    tested = Counter(named())
    assert set(tested) == _rows.NAMES


def test_rows_have_names_of_their_own_and_say_what_they_try():
    assert len(_rows.NAMES) == len(_rows.ROWS) >= 50
    assert all(row.tries and not row.tries.endswith(".") for row in _rows.ROWS)
