"""Every wrong solution can be made from its reference, and names tests that exist."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from grader.lab.catalogue import Catalogue

REFERENCE = Path(__file__).parents[2] / "reference"
# The modules of every lab that students write; a competition has no tests that a mutant could lose.
FILES = {
    lab.assignment.slug: {file.path for file in lab.assignment.files if file.module}
    for lab in Catalogue(REFERENCE.parent).labs()
    if lab.assignment.competition is None
}
# The classes that every suite on convolutional networks must catch.
CLASSES_OF_CNN = {
    "conv_flips_kernel",
    "conv_swaps_stride_and_padding",
    "bn_batch_statistics_in_eval",
    "bn_variance_over_wrong_axes",
    "dropout_active_in_eval",
    "dropout_unscaled",
    "relu_before_the_addition",
    "train_schedules_per_batch",
    "network_scales_by_the_batch",
}
MUTANTS = [
    pytest.param(lab, file, id=f"{lab}-{file.stem}")
    for lab in FILES
    for file in sorted((REFERENCE / lab / "mutants").glob("*.toml"))
]


@cache
def suite_tests(lab):
    """Return the ids of a suite's tests, without their parameters."""
    return {
        f"{file.name}::{node.name}"
        for file in (REFERENCE / lab / "suite").glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def read(file):
    return tomllib.loads(file.read_text(encoding="utf-8"))


def mutants(lab):
    """Return a lab's mutants by name."""
    return {file.stem: read(file) for file in (REFERENCE / lab / "mutants").glob("*.toml")}


def named_tests(mutant):
    """Return the tests that a mutant is to lose, without their parameters."""
    loses = mutant["loses"]
    names = [loses] if isinstance(loses, str) else loses
    return {re.sub(r"\[.*\]$", "", name) for name in names}


@pytest.mark.parametrize("lab", FILES)
def test_there_are_mutants_for_every_file_that_is_graded(lab):
    found = mutants(lab)
    assert len(found) >= 20
    changed = {change["file"] for mutant in found.values() for change in mutant["replace"]}
    assert FILES[lab] <= changed


def test_there_are_mutants_of_every_class_of_mistakes_in_cnn():
    assert set(mutants("cnn")) >= CLASSES_OF_CNN


@pytest.mark.parametrize(("lab", "file"), MUTANTS)
def test_mutant_changes_text_that_stands_once_and_is_still_python(lab, file):
    texts = {}
    for change in read(file)["replace"]:
        path = REFERENCE / lab / change["file"].removeprefix(f"{lab}/")
        text = texts.get(path, path.read_text(encoding="utf-8"))
        assert text.count(change["old"]) == 1
        assert change["old"] != change["new"]
        texts[path] = text.replace(change["old"], change["new"])
    for path, text in texts.items():
        if path.suffix == ".py":
            compile(text, path.name, "exec")


@pytest.mark.parametrize(("lab", "file"), MUTANTS)
def test_mutant_says_what_is_wrong_and_which_test_notices(lab, file):
    mutant = read(file)
    assert mutant["title"].strip() and not mutant["title"].endswith(".")
    assert named_tests(mutant) <= suite_tests(lab)


@pytest.mark.parametrize("lab", FILES)
def test_a_suite_has_more_than_forty_tests_and_most_are_needed_by_a_mutant(lab):
    tests = suite_tests(lab)
    assert len(tests) >= 40
    needed = set().union(*map(named_tests, mutants(lab).values()))
    assert len(needed & tests) > len(tests) / 2
