"""The benchmarks use the engine by its names: a name that is gone is found here, not in a night."""

import ast
import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
OURS = ("grader", "portal")


def imported(file):
    """Yield (module, name) of each name that a file takes from the engine or the portal."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize(
    "file", sorted(BENCH.rglob("*.py")), ids=lambda file: str(file.relative_to(BENCH))
)
def test_what_a_benchmark_imports_is_there(file):
    for module, name in imported(file):
        found = importlib.import_module(module)
        if not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")  # or it is a module itself
