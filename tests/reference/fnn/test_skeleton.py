"""The skeleton is the reference with the marked blocks taken out, and nothing else."""

import ast
import re
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3]
REFERENCE = HOME / "reference" / "fnn"
SKELETON = HOME / "assignments" / "fnn" / "fnn"
MODULES = ("__init__.py", "layers.py", "optim.py", "model.py", "study.py")

BLOCK = re.compile(r"^( *)# BEGIN SOLUTION\n(.*?)^ *# END SOLUTION\n", re.DOTALL | re.MULTILINE)
OWNER = re.compile(r"^( *)(?:def|class) (\w+)", re.MULTILINE)


def skeleton_of(text: str) -> str:
    """Replace each marked block: at the margin by nothing, in a function by a raise."""
    parts, end = [], 0
    for block in BLOCK.finditer(text):
        parts.append(text[end : block.start()])
        indent = block.group(1)
        if indent:
            name = owner(text[: block.start()], len(indent))
            parts.append(f'{indent}raise NotImplementedError("{name} is not written yet")\n')
        end = block.end()
    parts.append(text[end:])
    return re.sub(r"\n{4,}", "\n\n\n", "".join(parts)).rstrip("\n") + "\n"


def owner(before: str, indent: int) -> str:
    """Return the dotted name of the function that ends `before`."""
    names = []
    for found in reversed(list(OWNER.finditer(before))):
        if len(found.group(1)) < indent:
            names.append(found.group(2))
            indent = len(found.group(1))
        if indent == 0:
            break
    names.reverse()
    return ".".join(name for name in names if name != "__init__")


@pytest.mark.parametrize("module", MODULES)
def test_the_skeleton_is_the_reference_without_its_solutions(module):
    wanted = skeleton_of((REFERENCE / module).read_text(encoding="utf-8"))
    assert (SKELETON / module).read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize("module", MODULES)
def test_no_mark_and_no_solution_is_left_in_the_skeleton(module):
    text = (SKELETON / module).read_text(encoding="utf-8")
    assert "SOLUTION" not in text
    compile(text, module, "exec")


def test_every_unwritten_function_names_itself():
    for module in MODULES[1:]:
        tree = ast.parse((SKELETON / module).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and "NotImplementedError" in ast.unparse(node):
                assert "is not written yet" in ast.unparse(node)
