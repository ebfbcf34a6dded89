"""Every wrong solution can be made from the reference, and names tests that exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

HOME = Path(__file__).parents[3]
REFERENCE = HOME / "reference" / "cnn"
MUTANTS = sorted((REFERENCE / "mutants").glob("*.toml"))
MUTANTS = [file for file in MUTANTS if file.stem != "equivalent"]
# The classes that every suite on convolutional networks must catch.
CLASSES = (
    "conv_flips_kernel",
    "conv_swaps_stride_and_padding",
    "bn_batch_statistics_in_eval",
    "bn_variance_over_wrong_axes",
    "dropout_active_in_eval",
    "dropout_unscaled",
    "relu_before_the_addition",
    "train_schedules_per_batch",
    "network_scales_by_the_batch",
)


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


def test_there_are_mutants_of_every_class_and_file():
    names = {file.stem for file in MUTANTS}
    assert set(CLASSES) <= names and len(names) >= 20
    files = {change["file"] for file in MUTANTS for change in read(file)["replace"]}
    assert {"cnn/layers.py", "cnn/model.py", "cnn/study.py", "results.csv"} == files


@pytest.mark.parametrize("file", MUTANTS, ids=lambda file: file.stem)
def test_mutant_changes_text_that_stands_once_and_is_still_python(file):
    texts = {}
    for change in read(file)["replace"]:
        path = REFERENCE / change["file"].removeprefix("cnn/")
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


def test_most_tests_of_the_suite_are_needed_by_a_mutant():
    named = set()
    for file in MUTANTS:
        loses = read(file)["loses"]
        named |= {re.sub(r"\[.*\]$", "", n) for n in ([loses] if isinstance(loses, str) else loses)}
    assert len(named & suite_tests()) >= 45
