"""Every wrong solution can be made from the reference, and names tests that exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3]
REFERENCE = HOME / "reference" / "gcn"
MUTANTS = sorted((REFERENCE / "mutants").glob("*.toml"))


def suite_tests():
    """Return the ids of the suite's tests, without their parameters."""
    return {
        f"{file.name}::{node.name}"
        for file in (REFERENCE / "suite").glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def read(file):
    return tomllib.loads(file.read_text(encoding="utf-8"))


def test_there_are_mutants_for_every_file_that_is_graded():
    files = [change["file"] for file in MUTANTS for change in read(file)["replace"]]
    assert len(MUTANTS) >= 24
    assert {"gcn/layers.py", "gcn/model.py", "gcn/study.py"} <= set(files)


@pytest.mark.parametrize("file", MUTANTS, ids=lambda file: file.stem)
def test_mutant_changes_text_that_stands_once_and_is_still_python(file):
    texts = {}
    for change in read(file)["replace"]:
        path = REFERENCE / change["file"].removeprefix("gcn/")
        text = texts.get(path, path.read_text(encoding="utf-8"))
        assert text.count(change["old"]) == 1
        assert change["old"] != change["new"]
        texts[path] = text.replace(change["old"], change["new"])
    for path, text in texts.items():
        if path.suffix == ".py":
            compile(text, path.name, "exec")


@pytest.mark.parametrize("file", MUTANTS, ids=lambda file: file.stem)
def test_mutant_says_what_is_wrong_and_which_test_notices(file):
    mutant = read(file)
    assert mutant["title"].strip() and not mutant["title"].endswith(".")
    loses = mutant["loses"]
    named = [loses] if isinstance(loses, str) else loses
    assert {re.sub(r"\[.*\]$", "", name) for name in named} <= suite_tests()


def test_the_suite_has_more_than_forty_tests():
    assert len(suite_tests()) >= 40
