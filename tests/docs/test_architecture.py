"""The page on the architecture names what is there, and its layers are those that are enforced."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LAYERS = PAGE.partition("\n## Layers\n")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```text\n(.+?)```", LAYERS, re.DOTALL)
PATHS = sorted(set(re.findall(r"`([\w.*<>-]+/[\w.*<>/-]*)`", PAGE)))
CLASSES = re.findall(r"`(\w+)` in `(\S+\.py)`", PAGE)

_spec = importlib.util.spec_from_file_location(
    "enforced_layers", ROOT / "tests" / "architecture" / "test_imports.py"
)
enforced = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = enforced  # dataclasses look their module up
_spec.loader.exec_module(enforced)

# What the page calls many names at once.
GROUPS = {
    "their own package": {"<own>"},
    "the engine's dependencies": enforced.GRADER_NEEDS,
    "the web's libraries": enforced.PORTAL_NEEDS,
    "the libraries of signing in": enforced.SIGN_ON_NEEDS,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_the_page_names_is_there(path):
    assert any(ROOT.glob(re.sub(r"<\w+>", "*", path).rstrip("/")))


@pytest.mark.parametrize(("name", "file"), CLASSES)
def test_a_class_that_the_page_names_stands_in_its_file(name, file):
    assert re.search(rf"^class {name}\b", (ROOT / file).read_text("utf-8"), re.MULTILINE)


def test_the_rooms_of_the_engine_are_those_that_are_enforced():
    block = BLOCKS[0]
    rooms = tuple(
        tuple(f"grader.{name}" for name in room.replace(",", " ").split())
        for room in block.split("<")
    )
    assert rooms == enforced.ROOMS


def test_the_features_of_the_portal_and_their_arrows_are_those_that_are_enforced():
    lines = (line.partition(":") for line in BLOCKS[1].splitlines())
    features = [(name, tuple(uses.split())) for name, _, uses in lines]
    assert features == list(enforced.FEATURES.items())


def test_what_stands_on_the_features_is_what_is_enforced():
    assert tuple(BLOCKS[2].replace("<", "").split()) == enforced.ABOVE_FEATURES


def test_the_table_of_imports_says_what_is_enforced():
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", LAYERS, re.MULTILINE)
    assert [(files, allowed(cell)) for files, cell in rows] == [
        (rule.files, rule.may) for rule in enforced.RULES
    ]


def allowed(cell):
    """Return the names that a cell of the table allows."""
    groups = [names for words, names in GROUPS.items() if words in cell]
    return frozenset(re.findall(r"`([^`]+)`", cell)).union(*groups)
